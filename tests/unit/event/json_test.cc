#include "event/json.h"

#include <gtest/gtest.h>

#include <array>

#include "event/json_grammar.h"

namespace outrigger::event {
namespace {

bool IsStrict(std::string_view text) {
  JsonReader reader;
  return reader.Check(text).has_value();
}

std::string Wrong(std::string_view text) {
  JsonReader reader;
  auto checked = reader.Check(text);
  return checked ? std::string() : checked.error().message;
}

std::string Nested(int depth, char open, char close, std::string_view inner = "") {
  return std::string(static_cast<size_t>(depth), open) + std::string(inner) +
         std::string(static_cast<size_t>(depth), close);
}

// What the strict rule refuses, alone and at any depth.
constexpr std::array kBroken{
    "01",          "-",         "+1",         "1.",        ".5",
    "1e",          "1e+",       "0x10",       "NaN",       "Infinity",
    "-Infinity",   "tru",       "truee",      "nul",       "True",
    "undefined",   "'a'",       "\"a",        "\"\\x\"",   "\"\\u12\"",
    "\"\\u12g4\"", "\"\\\"",    "\"a\nb\"",   "\"a\tb\"",  "[1,2",
    "[1,2}}",      "[1,2]]",    "[1 2]",      "[,1]",      "[1,,2]",
    "[1,]",        "[",         "]",          "{\"a\"}",   "{\"a\":}",
    "{a:1}",       "{\"a\" 1}", "{\"a\":1,}", "{,}",       "{\"a\":1 \"b\":2}",
    "{1:2}",       "{\"a\":1]", "1 // a",     "/* a */ 1", "[1 /*a*/]",
    "# a\n1",      "1 2",       "{} {}",      "{}[]",      "{},",
    "\"a\" \"b\"", "null null", "-01",        "00",        "1.e5",
    "--1",
};

TEST(Json, RefusesWhatIsNotStrictJson) {
  for (const char* text : kBroken) EXPECT_FALSE(IsStrict(text)) << text;
  EXPECT_FALSE(IsStrict(""));
  EXPECT_FALSE(IsStrict(" \t\r\n"));
}

TEST(Json, RefusesItInsideAnObjectAndAnArrayToo) {
  for (const char* text : kBroken) {
    EXPECT_FALSE(IsStrict(std::string("{\"type\":\"a\",\"data\":{\"n\":") + text + "}}")) << text;
    EXPECT_FALSE(IsStrict(std::string("[[") + text + "]]")) << text;
  }
}

TEST(Json, IsAsStrictBesideANumberBeyondEveryRange) {
  for (const char* text : kBroken) {
    EXPECT_FALSE(IsStrict(std::string("[1e400,") + text + "]")) << text;
    EXPECT_FALSE(IsStrict(std::string("{\"a\":") + text + ",\"b\":123456789012345678901}")) << text;
  }
}

TEST(Json, TakesEveryKindOfValueAndBlanksAroundIt) {
  for (const char* text : {"null", "true", "false", "0", "-0", "-0.0e-0", "1E+5", "\"\"", "[]",
                           "{}", " [ ] ", "\r\n{\t}\n", "[[],{},\"\",0]", "{\"\":\"\"}",
                           "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"", "\"\x7f\"", "\"\\u0000\""})
    EXPECT_TRUE(IsStrict(text)) << text;
}

TEST(Json, TakesIntegersBeyond64BitsAndNumbersBeyondDouble) {
  for (const char* number :
       {"12345678901234567890", "123456789012345678901234567890", "-98765432109876543210",
        "18446744073709551616", "-9223372036854775809", "1e400", "-1E+400", "1e-400",
        "0.1e999999999999"}) {
    EXPECT_TRUE(IsStrict(number)) << number;
    EXPECT_TRUE(IsStrict(std::string(" [") + number + "] ")) << number;
    EXPECT_TRUE(IsStrict(std::string("{\"a\":{\"b\":") + number + "}}")) << number;
  }
}

TEST(Json, RefusesALoneHalfOfASurrogatePair) {
  EXPECT_TRUE(IsStrict(R"("\ud83d\ude00")"));
  for (const char* text : {R"("\ud83d")", R"("\ud83da")", R"("\ud83d\n")", R"("\ud83d\u0041")",
                           R"("\ud83d\ud83d")", R"("\ude00")", R"("\ude00\ud83d")"}) {
    EXPECT_FALSE(IsStrict(text)) << text;
    EXPECT_FALSE(IsStrict(std::string("{") + text + ":1}")) << text;
    EXPECT_FALSE(IsStrict(std::string("[1e400,") + text + "]")) << text;
  }
}

TEST(Json, RefusesBytesThatAreNotUtf8) {
  EXPECT_TRUE(IsStrict("\"\xC3\xA9\xF0\x9F\x98\x80\""));
  for (const char* bytes : {"\x80", "\xC3", "\xC0\xAF", "\xE2\x82", "\xED\xA0\x80",
                            "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "\xFF", "\xE9t\xE9"}) {
    EXPECT_FALSE(IsStrict(std::string("\"") + bytes + "\""));
    EXPECT_FALSE(IsStrict(std::string("{\"") + bytes + "\":1}"));
    EXPECT_FALSE(IsStrict(std::string("[1e400,\"") + bytes + "\"]"));
  }
}

TEST(Json, SkipsOneByteOrderMarkAtTheBeginning) {
  JsonReader reader;
  EXPECT_TRUE(IsStrict("\xEF\xBB\xBF{}"));
  EXPECT_TRUE(IsStrict("\xEF\xBB\xBF [1e400] "));
  EXPECT_TRUE(IsStrict("\xEF\xBB\xBF" + std::string(2 << 20, ' ') + "1"));
  EXPECT_EQ(reader.Members("\xEF\xBB\xBF{\"a\":1}")->front().name, "a");
  EXPECT_EQ(reader.Items("\xEF\xBB\xBF [7]")->front(), "7");
  const JsonPath path{"a"};
  EXPECT_EQ(JsonReader::Read("\xEF\xBB\xBF{\"a\":1}", std::span(&path, 1))->front().text, "1");
  for (const char* text : {"\xEF\xBB\xBF", "\xEF\xBB", " \xEF\xBB\xBF{}", "{}\xEF\xBB\xBF",
                           "\xEF\xBB\xBF\xEF\xBB\xBF{}", "[\xEF\xBB\xBF]"})
    EXPECT_FALSE(IsStrict(text)) << text;
}

TEST(Json, RefusesZeroBytes) {
  EXPECT_FALSE(IsStrict(std::string_view("{}\0", 3)));
  EXPECT_FALSE(IsStrict(std::string_view("\0{}", 3)));
  EXPECT_FALSE(IsStrict(std::string_view("\"\0\"", 3)));
  EXPECT_FALSE(IsStrict(std::string_view("[1e400\0]", 8)));
}

TEST(Json, Takes128LevelsAndRefusesMore) {
  for (const std::string_view inner : {"", "1e400"}) {
    EXPECT_TRUE(IsStrict(Nested(128, '[', ']', inner))) << inner;
    EXPECT_FALSE(IsStrict(Nested(129, '[', ']', inner))) << inner;
    EXPECT_FALSE(IsStrict(Nested(200, '[', ']', inner))) << inner;
  }
  std::string objects;
  for (int i = 0; i < 200; ++i) objects += "{\"a\":";
  EXPECT_FALSE(IsStrict(objects + "1" + std::string(200, '}')));
  EXPECT_NE(Wrong(Nested(200, '[', ']')).find("deep"), std::string::npos);
}

TEST(Json, AMillionBracketsAreRefusedWithoutHarm) {
  EXPECT_FALSE(IsStrict(std::string(1'000'000, '[')));
  EXPECT_FALSE(IsStrict("[1e400," + std::string(1'000'000, '[')));
  EXPECT_FALSE(IsStrict(Nested(1'000'000, '[', ']')));
}

TEST(Json, AReaderIsReusedAfterARefusal) {
  JsonReader reader;
  EXPECT_FALSE(reader.Check("{").has_value());
  EXPECT_TRUE(reader.Check("{}").has_value());
  EXPECT_TRUE(reader.Check("\"" + std::string(100'000, 'a') + "\"").has_value());
  EXPECT_FALSE(reader.Check(Nested(129, '[', ']')).has_value());
  EXPECT_TRUE(reader.Check(Nested(128, '[', ']')).has_value());
}

TEST(Json, TheErrorSaysWhatAndAtWhichByte) {
  EXPECT_NE(Wrong("{\"n\":01}").find("at byte 6"), std::string::npos) << Wrong("{\"n\":01}");
  EXPECT_NE(Wrong("[1 2]").find("a comma or the closing bracket is missing at byte 3"),
            std::string::npos)
      << Wrong("[1 2]");
}

TEST(Json, TheErrorNamesWhatIsMissing) {
  const std::string blanks(2 << 20, ' ');  // a long text is walked and not parsed
  for (const auto& [text, wrong] : std::initializer_list<std::pair<std::string, std::string>>{
           {"", "it is empty"},
           {"\xEF\xBB\xBF", "it is empty"},
           {" \n", "it is empty"},
           {" \n[", "a value is missing at byte 3, where the text ends"},
           {"hello", "a value is missing at byte 0"},
           {"\xEF\xBB\xBFhello", "a value is missing at byte 3"},
           {"{\"a\":}", "a value is missing at byte 5"},
           {"{\"a\":", "a value is missing at byte 5, where the text ends"},
           {"[1,]", "a value is missing at byte 3"},
           {"[,1]", "a value is missing at byte 1"},
           {"NaN", "a value is missing at byte 0"},
           {"{bad", "a name in double quotes is missing at byte 1"},
           {"{'a':1}", "a name in double quotes is missing at byte 1"},
           {"{\"a\":1,}", "a name in double quotes is missing at byte 7"},
           {"{", "a name in double quotes is missing at byte 1, where the text ends"},
           {"tru", "an unknown word (JSON has true, false and null) at byte 0"},
           {"nil", "an unknown word (JSON has true, false and null) at byte 0"},
           {"-", "a digit is missing at byte 1, where the text ends"},
           {"1.", "a digit is missing at byte 2, where the text ends"},
           {"{\"n\":01}", "a comma or the closing bracket is missing at byte 6"},
           {"{\"a\" 1}", "a colon is missing at byte 5"},
           {"\"a\nb\"", "a control byte in a string at byte 2"},
           {"\"a\\x\"", "an unknown escape at byte 3"},
           {"\"a", "a string does not end at byte 2, where the text ends"},
           {"{} {}", "something follows the value at byte 3"},
           {"\"a\xFF\"", "a byte sequence is not UTF-8 at byte 2"},
           {"\xEF\xBB\xBF[\"\xC3\"]", "a byte sequence is not UTF-8 at byte 5"}})
    EXPECT_EQ(Wrong(text), "not valid JSON: " + wrong);
  EXPECT_EQ(Wrong(blanks + "hello"), "not valid JSON: a value is missing at byte 2097152");
  EXPECT_EQ(Wrong(blanks + "\"\xFF\""),
            "not valid JSON: a byte sequence is not UTF-8 at byte 2097153");
}

TEST(Json, TheErrorNamesUtf16AndUtf32) {
  const auto wide = [](std::string_view text, size_t before, size_t behind) {
    std::string out;
    for (const char c : text) out.append(before, '\0').append(1, c).append(behind, '\0');
    return out;
  };
  const std::string pair = "{\"a\":1}";
  for (const std::string& text : {wide(pair, 0, 1), wide(pair, 1, 0), "\xFF\xFE" + wide(pair, 0, 1),
                                  "\xFE\xFF" + wide(pair, 1, 0), wide("1", 0, 1), wide("1", 1, 0)})
    EXPECT_EQ(Wrong(text), "not valid JSON: it looks like UTF-16, and JSON is sent as UTF-8");
  for (const std::string& text :
       {wide(pair, 0, 3), wide(pair, 3, 0), std::string("\xFF\xFE\0\0", 4) + wide(pair, 0, 3),
        std::string("\0\0\xFE\xFF", 4) + wide(pair, 3, 0),
        wide(std::string(1 << 19, ' ') + pair, 0, 3)})
    EXPECT_EQ(Wrong(text), "not valid JSON: it looks like UTF-32, and JSON is sent as UTF-8");
}

TEST(Json, ALongTextIsReadAsStrictlyAsAShortOne) {
  const std::string blanks(2 << 20, ' ');
  for (const char* text : kBroken) EXPECT_FALSE(IsStrict(blanks + text)) << text;
  EXPECT_FALSE(IsStrict(blanks));
  EXPECT_FALSE(IsStrict(blanks + "\"\xFF\""));
  EXPECT_TRUE(IsStrict(blanks + "{\"a\":[1e400,\"\u00e9\"]}"));
  EXPECT_TRUE(IsStrict(blanks + Nested(128, '[', ']')));
  EXPECT_FALSE(IsStrict(blanks + Nested(129, '[', ']')));
}

TEST(JsonGrammar, AgreesThatTheBrokenIsBroken) {
  for (const char* text : kBroken) EXPECT_NE(JsonGrammarProblem(text, 128), "") << text;
}

TEST(JsonGrammar, WhatOthersWroteMayBeDeepAndHoldHalfSurrogates) {
  const std::string deep(100'000, '[');
  EXPECT_TRUE(IsJsonText(deep + std::string(100'000, ']')));
  EXPECT_FALSE(IsJsonText(deep));
  for (const char* text : {R"({"a":"\ud800"})", R"(["\udc00\ud800"])", "[\"\xFF\"]", "1e999",
                           R"({"a":{},"b":[],"c":[{},[1,{"d":[]}]]})"})
    EXPECT_TRUE(IsJsonText(text)) << text;
  for (const char* text : {"", "{", "{]", "[1,]", R"({"a":1,})", R"({"a"})", R"({"a":"\ud80"})",
                           "[1 2]", "[]]", "nul", "{a:1}", "[[]"})
    EXPECT_FALSE(IsJsonText(text)) << text;
}

TEST(JsonRead, HalfASurrogatePairIsNoCharacter) {
  EXPECT_EQ(JsonReader::Value(R"("\ud800x")").text, "\xEF\xBF\xBDx");
  EXPECT_EQ(JsonReader::Value(R"("\udc00")").text, "\xEF\xBF\xBD");
  EXPECT_EQ(JsonReader::Value(R"("\ud83d\u0041")").text,
            "\xEF\xBF\xBD"
            "A");
  EXPECT_EQ(JsonReader::Value(R"("\ud83d\ude00")").text, "\xF0\x9F\x98\x80");
}

TEST(JsonMembers, KeepOrderUnescapeNamesAndTrimRawValues) {
  JsonReader reader;
  const auto members = reader.Members(" { \"b\" : [1, 2 ] , \"\\u0061\\n\" :\t1.50\n} ");
  ASSERT_TRUE(members.has_value()) << members.error().message;
  ASSERT_EQ(members->size(), 2U);
  EXPECT_EQ((*members)[0].name, "b");
  EXPECT_EQ((*members)[0].raw, "[1, 2 ]");
  EXPECT_EQ((*members)[1].name, "a\n");
  EXPECT_EQ((*members)[1].raw, "1.50");
}

TEST(JsonMembers, ARepeatedNameIsAnErrorHoweverItIsWritten) {
  JsonReader reader;
  EXPECT_FALSE(reader.Members(R"({"a":1,"a":1})").has_value());
  EXPECT_FALSE(reader.Members(R"({"a":1,"b":2,"\u0061":3})").has_value());
  std::string many = "{\"a0\":0";
  for (int i = 1; i < 50; ++i) many += ",\"a" + std::to_string(i) + "\":0";
  EXPECT_TRUE(reader.Members(many + "}").has_value());
  const auto twice = reader.Members(many + ",\"a7\":0}");
  ASSERT_FALSE(twice.has_value());
  EXPECT_NE(twice.error().message.find("\"a7\""), std::string::npos) << twice.error().message;
}

TEST(JsonMembers, TheErrorNamesARepeatedNameAsItIs) {
  JsonReader reader;
  const auto twice = reader.Members(R"({"a\\n":1,"a\\n":2})");
  ASSERT_FALSE(twice.has_value());
  EXPECT_NE(twice.error().message.find("\"a\\n\""), std::string::npos) << twice.error().message;
}

TEST(JsonMembers, OnlyAnObjectHasMembersAndOnlyAnArrayItems) {
  JsonReader reader;
  for (const auto& [text, found] :
       std::initializer_list<std::pair<const char*, const char*>>{{"[]", "an array"},
                                                                  {" [{}]", "an array"},
                                                                  {"-1", "a number"},
                                                                  {"\"{}\"", "a string"},
                                                                  {"true", "a boolean"},
                                                                  {"null", "null"}}) {
    const auto members = reader.Members(text);
    ASSERT_FALSE(members.has_value()) << text;
    EXPECT_EQ(members.error().message, std::string("a JSON object is expected, not ") + found);
  }
  for (const char* text : {"{}", "1", "\"[]\"", "null"})
    EXPECT_FALSE(reader.Items(text).has_value()) << text;
}

TEST(JsonItems, AreTheRawValuesTrimmed) {
  JsonReader reader;
  const auto items = reader.Items(" [ 1.0 ,\"a]b\\\"\", { \"a\" : [ ] }\n, [[]] , 1e400 ] ");
  ASSERT_TRUE(items.has_value()) << items.error().message;
  EXPECT_EQ(*items, (std::vector<std::string_view>{"1.0", "\"a]b\\\"\"", "{ \"a\" : [ ] }", "[[]]",
                                                   "1e400"}));
  EXPECT_TRUE(reader.Items("[ ]")->empty());
  EXPECT_TRUE(reader.Items("[1,2]", 2).has_value());
  const auto more = reader.Items("[1,2,3]", 2);
  ASSERT_FALSE(more.has_value());
  EXPECT_EQ(more.error().code, base::Code::kTooLarge);
}

JsonValue At(std::string_view text, const JsonPath& path) {
  auto values = JsonReader::Read(text, std::span(&path, 1));
  EXPECT_TRUE(values.has_value());
  return values ? values->front() : JsonValue();
}

TEST(JsonRead, GivesEachKindOfValue) {
  using Kind = JsonValue::Kind;
  constexpr char kText[] =
      R"({"s":"a\"\u00e9\ud83d\ude00","n":1.50e+3,"t":true,"z":null,"o":{"i":{"x":-0}},"a":[1],)"
      R"("big":123456789012345678901})";
  EXPECT_EQ(At(kText, {"s"}).text, "a\"\xC3\xA9\xF0\x9F\x98\x80");
  EXPECT_EQ(At(kText, {"n"}).text, "1.50e+3");
  EXPECT_EQ(At(kText, {"big"}).text, "123456789012345678901");
  EXPECT_EQ(At(kText, {"t"}).text, "true");
  EXPECT_EQ(At(kText, {"t"}).kind, Kind::kBoolean);
  EXPECT_EQ(At(kText, {"z"}).kind, Kind::kNull);
  EXPECT_EQ(At(kText, {"o"}).kind, Kind::kObject);
  EXPECT_EQ(At(kText, {"a"}).kind, Kind::kArray);
  EXPECT_EQ(At(kText, {"o", "i", "x"}).text, "-0");
  for (const JsonPath& path : {JsonPath{"q"}, {"s", "x"}, {"a", "0"}, {"o", "i", "x", "y"}, {""}})
    EXPECT_EQ(At(kText, path).kind, Kind::kAbsent);
  for (const char* text : {"[{\"s\":1}]", "\"{\"", "1", "null"})
    EXPECT_EQ(At(text, {"s"}).kind, Kind::kAbsent) << text;
}

TEST(JsonRead, ARepeatedNameIsAnErrorWhereAPathReadsAndNowhereElse) {
  const auto reads = [](std::string_view text, const JsonPath& path) {
    return JsonReader::Read(text, std::span(&path, 1)).has_value();
  };
  constexpr char kText[] = R"({"a":1,"b":{"c":1,"c":2,"d":3},"b2":[{"a":1,"a":2}],"\u0061":2})";
  EXPECT_FALSE(reads(kText, {"a"}));
  EXPECT_FALSE(reads(kText, {"a", "x"}));
  EXPECT_FALSE(reads(kText, {"b", "c"}));
  EXPECT_TRUE(reads(kText, {"b", "d"}));
  EXPECT_TRUE(reads(kText, {"b2"}));
  EXPECT_TRUE(reads(kText, {"x"}));
}

}  // namespace
}  // namespace outrigger::event
