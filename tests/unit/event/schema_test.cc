#include "event/schema.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>

namespace outrigger::event {
namespace {

namespace fs = std::filesystem;

class SchemaSetTest : public testing::Test {
 protected:
  SchemaSetTest()
      : folder_(fs::path(testing::TempDir()) /
                (std::string("outrigger_schema_") +
                 testing::UnitTest::GetInstance()->current_test_info()->name())) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~SchemaSetTest() override { fs::remove_all(folder_); }

  void Write(const std::string& file, std::string_view content) {
    fs::create_directories((folder_ / file).parent_path());
    std::ofstream(folder_ / file) << content;
  }

  std::shared_ptr<const SchemaSet> Load() {
    problems_.clear();
    return SchemaSet::Load(folder_.string(), {"rules.yaml", 3, 5}, problems_);
  }

  // The violations of `data` against the one schema `schema`, as "pointer: message".
  std::vector<std::string> Wrong(std::string_view schema, std::string_view data) {
    Write("t/1.0.json", schema);
    const auto set = Load();
    for (const auto& problem : problems_) ADD_FAILURE() << problem.text();
    std::vector<std::string> wrong;
    const auto verdict = set->Validate("t", "1.0", data);
    EXPECT_TRUE(verdict) << data;
    for (const auto& violation : verdict->violations)
      wrong.push_back(violation.pointer + ": " + violation.message);
    return wrong;
  }

  bool Fits(std::string_view schema, std::string_view data) { return Wrong(schema, data).empty(); }

  // The one problem of loading `schema`.
  std::string Refused(std::string_view schema) {
    Write("t/1.0.json", schema);
    Load();
    EXPECT_EQ(problems_.size(), 1U) << schema;
    if (problems_.empty()) return {};
    EXPECT_EQ(problems_[0].place.file, (folder_ / "t/1.0.json").string());
    return problems_[0].path + ": " + problems_[0].message;
  }

  fs::path folder_;
  std::vector<config::Problem> problems_;
};

bool Passes(const SchemaSet& set, const char* type, const char* version, std::string_view data) {
  return set.Validate(type, version, data)->violations.empty();
}

bool Points(const std::vector<std::string>& wrong, const std::string& pointer) {
  return std::any_of(wrong.begin(), wrong.end(), [&](const std::string& violation) {
    return violation.starts_with(pointer + ": ");
  });
}

using Schema = SchemaSetTest;

TEST_F(Schema, IsChosenByTypeAndVersion) {
  Write("user.registered/1.0.json", R"({"type":"object"})");
  Write("user.registered/2.0.json", R"({"type":"array"})");
  Write("order.placed/1.0.json", R"({"type":"string"})");
  const auto set = Load();
  EXPECT_TRUE(problems_.empty());
  EXPECT_TRUE(Passes(*set, "user.registered", "1.0", "{}"));
  EXPECT_FALSE(Passes(*set, "user.registered", "1.0", "[]"));
  EXPECT_TRUE(Passes(*set, "user.registered", "2.0", "[]"));
  EXPECT_TRUE(Passes(*set, "order.placed", "1.0", "\"a\""));
  EXPECT_TRUE(set->Knows("order.placed"));
  EXPECT_FALSE(set->Knows("order"));
  EXPECT_EQ(set->FileFor("user.registered", "2.0"),
            (folder_ / "user.registered/2.0.json").string());
  EXPECT_EQ(set->FileFor("user.registered", "3.0"), "");
}

TEST_F(Schema, ATypeWithoutAnyIsUncheckedAndAnUnknownVersionIsAViolation) {
  Write("t/1.0.json", "{}");
  Write("t/1.1.json", "{}");
  const auto set = Load();
  EXPECT_TRUE(Passes(*set, "other", "1.0", "1"));
  const auto wrong = set->Validate("t", "9", "{}")->violations;
  ASSERT_EQ(wrong.size(), 1U);
  EXPECT_EQ(wrong[0].pointer, "/version");
  EXPECT_NE(wrong[0].message.find("1.0, 1.1"), std::string::npos) << wrong[0].message;
}

TEST_F(Schema, DataThatRepeatsANameIsNoQuestionOfTheSchema) {
  Write("t/1.0.json", "{}");
  const auto set = Load();
  const auto verdict = set->Validate("t", "1.0", R"({"a":[{"b":1,"\u0062":2}]})");
  ASSERT_FALSE(verdict);
  EXPECT_NE(verdict.error().message.find("\"b\" appears twice"), std::string::npos);
  EXPECT_TRUE(set->Validate("other", "1.0", R"({"a":1,"a":2})"));
}

TEST_F(Schema, ErrorsPointAtTheValueThatIsWrong) {
  constexpr char kSchema[] =
      R"({"required":["id"],"properties":{"id":{"type":"string"},"n":{"minimum":3},
          "list":{"items":{"properties":{"x":{"type":"integer"}}}},
          "a/b~c":{"type":"null"},"\u00e9":{"maxLength":1}},"additionalProperties":false})";
  EXPECT_TRUE(Points(Wrong(kSchema, "{}"), ""));
  EXPECT_TRUE(Points(Wrong(kSchema, R"({"id":1})"), "/id"));
  EXPECT_TRUE(Points(Wrong(kSchema, R"({"id":"a","n":2})"), "/n"));
  EXPECT_TRUE(Points(Wrong(kSchema, R"({"id":"a","list":[{"x":1},{"x":"a"}]})"), "/list/1/x"));
  EXPECT_TRUE(Points(Wrong(kSchema, R"({"id":"a","a/b~c":1})"), "/a~1b~0c"));
  EXPECT_TRUE(Points(Wrong(kSchema, R"({"id":"a","\u00e9":"ab"})"), "/\xC3\xA9"));
  const auto both = Wrong(kSchema, R"({"id":1,"n":2})");
  EXPECT_TRUE(Points(both, "/id"));
  EXPECT_TRUE(Points(both, "/n"));
  EXPECT_TRUE(Fits(kSchema, R"({"id":"a","n":3,"list":[{"x":1}],"a/b~c":null,"\u00e9":"\u00e9"})"));
}

TEST_F(Schema, EveryPromisedFormatIsChecked) {
  const std::vector<std::array<const char*, 3>> cases{
      {"date-time", "2026-11-23T20:15:30Z", "2026-11-23"},
      {"date", "2026-11-23", "2026-11-31"},
      {"time", "20:15:30Z", "20:15"},
      {"duration", "P1DT2H", "1D"},
      {"email", "a@example.com", "a"},
      {"uuid", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f", "017f22e2"},
      {"ipv4", "127.0.0.1", "127.0.0.256"},
      {"ipv6", "::1", "::g"},
      {"uri", "https://example.com/", "example"},
      {"uri-reference", "../a?b", "a b"},
      {"iri", "https://example.com/\xC3\xA9", "/a"},
      {"iri-reference", "\xC3\xA9", "a b"},
      {"uri-template", "/a/{b}", "/a/{b"},
      {"json-pointer", "/a~1b", "a"},
      {"relative-json-pointer", "0#", "/a"},
      {"regex", "^a+$", "("},
      {"hostname", "example.com", "-a"}};
  for (const auto& [format, good, bad] : cases) {
    const std::string plain = std::string(R"({"format":")") + format + "\"}";
    const auto quoted = [](const char* text) { return "\"" + std::string(text) + "\""; };
    for (const std::string& schema :
         {plain, R"({"pattern":".","allOf":[{}],"format":")" + std::string(format) + "\"}",
          R"({"not":{"not":)" + plain + "}}",
          R"({"definitions":{"f":)" + plain + R"(},"allOf":[{"$ref":"#/definitions/f"}]})",
          R"({"shared":{"f":)" + plain + R"(},"allOf":[{"$ref":"#/shared/f"}]})"}) {
      EXPECT_TRUE(Fits(schema, quoted(good))) << schema;
      EXPECT_FALSE(Fits(schema, quoted(bad))) << schema;
      EXPECT_TRUE(Fits(schema, "7")) << schema;
    }
    EXPECT_TRUE(
        Points(Wrong(R"({"properties":{"a":)" + plain + "}}", "{\"a\":" + quoted(bad) + "}"), "/a"))
        << format;
    EXPECT_FALSE(Fits(R"({"items":[)" + plain + "]}", "[" + quoted(bad) + "]")) << format;
    EXPECT_FALSE(
        Fits(R"({"patternProperties":{"^a":)" + plain + "}}", "{\"ab\":" + quoted(bad) + "}"))
        << format;
  }
}

TEST_F(Schema, APropertyNamedFormatIsNoKeyword) {
  EXPECT_TRUE(Fits(R"({"properties":{"format":{"type":"string"}},"enum":[{"format":"date"}]})",
                   R"({"format":"date"})"));
}

TEST_F(Schema, PatternsRunInLinearTimeAndOnLongTexts) {
  const std::string text(200'000, 'a');
  EXPECT_TRUE(Fits(R"({"pattern":"^.*$"})", "\"" + text + "\""));
  EXPECT_FALSE(Fits(R"({"pattern":"^(a|aa)+$"})", "\"" + text + "!\""));
  EXPECT_FALSE(Fits(R"({"patternProperties":{"^(a|a?)+$":false}})", "{\"" + text + "\":1}"));
  EXPECT_FALSE(Fits(R"({"format":"email"})", "\"" + text + "\""));
  EXPECT_FALSE(Fits(R"({"format":"date-time"})", "\"" + text + "\""));
}

TEST_F(Schema, PatternsAreUnanchoredAndKnowUnicode) {
  EXPECT_TRUE(Fits(R"({"pattern":"b"})", "\"abc\""));
  EXPECT_TRUE(Fits(R"({"pattern":"^.$"})", "\"\xC3\xA9\""));
  EXPECT_TRUE(Fits(R"({"pattern":"^\\p{L}+$"})", "\"\xC3\xA9t\xC3\xA9\""));
}

TEST_F(Schema, OfDraft4MeansWhatDraft4Says) {
  constexpr char kSchema[] =
      R"({"$schema":"http://json-schema.org/draft-04/schema#","id":"http://example.com/a.json",
          "definitions":{"n":{"type":"number","minimum":3,"exclusiveMinimum":true}},
          "properties":{"n":{"$ref":"#/definitions/n"}}})";
  EXPECT_TRUE(Fits(kSchema, R"({"n":3.5})"));
  EXPECT_TRUE(Points(Wrong(kSchema, R"({"n":3})"), "/n"));
}

TEST_F(Schema, OfDrafts6And7HasItsKeywords) {
  for (const char* draft : {"06", "07"}) {
    const std::string begin =
        std::string(R"({"$schema":"http://json-schema.org/draft-)") + draft + "/schema#\",";
    EXPECT_FALSE(Fits(begin + R"("exclusiveMinimum":3})", "3"));
    EXPECT_FALSE(Fits(begin + R"("const":3})", "4"));
    EXPECT_FALSE(Fits(begin + R"("contains":{"const":3}})", "[1,2]"));
    EXPECT_FALSE(Fits(begin + R"("propertyNames":{"maxLength":1}})", R"({"ab":1})"));
    EXPECT_FALSE(Fits(begin + R"("properties":{"a":false}})", R"({"a":1})"));
  }
  constexpr char kIf[] =
      R"({"if":{"required":["a"]},"then":{"required":["b"]},"else":{"required":["c"]}})";
  EXPECT_TRUE(Fits(kIf, R"({"a":1,"b":1})"));
  EXPECT_FALSE(Fits(kIf, R"({"a":1,"c":1})"));
  EXPECT_FALSE(Fits(kIf, "{}"));
}

TEST_F(Schema, WithAnIdMayReferToItself) {
  constexpr char kSchema[] =
      R"({"$schema":"http://json-schema.org/draft-07/schema#","$id":"http://example.com/a.json",
          "definitions":{"n":{"type":"integer"}},"properties":{"n":{"$ref":"#/definitions/n"}}})";
  EXPECT_TRUE(Fits(kSchema, R"({"n":1})"));
  EXPECT_FALSE(Fits(kSchema, R"({"n":"1"})"));
}

TEST_F(Schema, AnIntegerMayBeWrittenWithAFractionOfZeroSinceDraft6) {
  for (const char* number : {"1.0", "-2.0e0", "1e3", "-0.0"}) {
    EXPECT_TRUE(Fits(R"({"type":"integer"})", number)) << number;
    EXPECT_TRUE(Fits(R"({"type":"number"})", number)) << number;
    EXPECT_TRUE(Fits(R"({"properties":{"a":{"items":{"type":"integer"}}}})",
                     "{\"a\":[" + std::string(number) + "]}"))
        << number;
  }
  EXPECT_TRUE(Fits(R"({"enum":[1]})", "1.0"));
  EXPECT_FALSE(
      Fits(R"({"$schema":"http://json-schema.org/draft-04/schema#","type":"integer"})", "1.0"));
}

TEST_F(Schema, DeepDataIsChecked) {
  EXPECT_TRUE(Fits(R"({"type":"array"})", std::string(128, '[') + std::string(128, ']')));
}

TEST_F(Schema, WhatIsRefusedNamesFileAndPointer) {
  EXPECT_EQ(Refused(R"({"allOf":[{"$ref":"#"}]})").find("#/allOf/0/$ref: "), 0U);
  EXPECT_EQ(Refused(R"({"items":{"$ref":"http://a/b"}})").find("#/items/$ref: "), 0U);
  EXPECT_EQ(Refused(R"({"unevaluatedProperties":false})").find("#/unevaluatedProperties: "), 0U);
  EXPECT_EQ(Refused(R"({"items":{"type":"text"}})").find("#/items/type: "), 0U);
  EXPECT_EQ(Refused(R"({"pattern":"("})").find("#/pattern: "), 0U);
  EXPECT_EQ(Refused(R"({"pattern":"^(a+)+$"})").find("#/pattern: "), 0U);
  EXPECT_EQ(Refused(R"({"format":"idn-email"})").find("#/format: "), 0U);
}

TEST_F(Schema, AFileThatIsNotStrictJsonOrNoUsableSchemaIsAProblem) {
  for (const char* schema :
       {"", "{", "{\"minimum\":01}", "{} {}", "{\"type\":1e400}", "// a\n{}",
        R"({"type":"string","type":"object"})", R"({"a":{"b":1,"b":2}})", R"({"minLength":-1})",
        R"({"minLength":"a"})", R"({"properties":[]})", R"({"required":"a"})", R"({"pattern":7})",
        R"({"enum":7})", R"({"allOf":7})", R"({"allOf":{}})", "7"})
    EXPECT_NE(Refused(schema), "") << schema;
}

TEST_F(Schema, AFileAtAnotherDepthIsAProblem) {
  Write("a.json", "{}");
  Write("t/deep/1.0.json", "{}");
  Write("t/1.0.json", "{}");
  Write("t/readme.md", "not a schema");
  Load();
  EXPECT_EQ(problems_.size(), 2U);
}

TEST_F(Schema, AFolderThatIsNotThereIsAProblemAtItsPlaceInTheConfig) {
  fs::remove_all(folder_);
  Load();
  ASSERT_EQ(problems_.size(), 1U);
  EXPECT_EQ(problems_[0].place.text(), "rules.yaml:3:5");
}

TEST_F(Schema, AMountedConfigMapIsRead) {
  Write("..2026_11_23/user.registered/1.0.json", R"({"type":"object"})");
  fs::create_directory_symlink("..2026_11_23", folder_ / "..data");
  fs::create_directory_symlink("..data/user.registered", folder_ / "user.registered");
  const auto set = Load();
  for (const auto& problem : problems_) ADD_FAILURE() << problem.text();
  EXPECT_FALSE(Passes(*set, "user.registered", "1.0", "[]"));
}

TEST_F(Schema, ALinkThatLeadsNowhereIsNoFile) {
  fs::create_symlink("nowhere", folder_ / "a.json");
  Load();
  EXPECT_TRUE(problems_.empty());
}

TEST_F(Schema, AFolderNamedWithATrailingSlashIsRead) {
  Write("t/1.0.json", R"({"type":"object"})");
  const auto set = SchemaSet::Load(folder_.string() + "/", {}, problems_);
  EXPECT_TRUE(problems_.empty());
  EXPECT_TRUE(set->Knows("t"));
}

}  // namespace
}  // namespace outrigger::event
