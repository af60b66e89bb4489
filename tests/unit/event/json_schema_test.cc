#include "event/json_schema.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace outrigger::event {
namespace {

using nlohmann::json;

std::vector<SchemaFault> Faults(const std::string& schema) {
  std::vector<SchemaFault> faults;
  JsonSchema::Compile(schema, {}, faults);
  return faults;
}

std::vector<SchemaFault> FaultsOf(const json& schema) { return Faults(schema.dump()); }

// "pointer: message" of the only fault; "" when there is none.
std::string Fault(const std::string& schema) {
  const auto faults = Faults(schema);
  EXPECT_LE(faults.size(), 1U) << schema;
  return faults.empty() ? std::string() : faults[0].pointer + ": " + faults[0].message;
}

SchemaVerdict Check(const std::string& schema, const std::string& data) {
  std::vector<SchemaFault> faults;
  const auto compiled = JsonSchema::Compile(schema, {}, faults);
  for (const auto& fault : faults) ADD_FAILURE() << fault.pointer << ": " << fault.message;
  const auto tree = JsonTree::Parse(data);
  EXPECT_TRUE(tree) << data;
  return compiled && tree ? compiled->Check(*tree) : SchemaVerdict{};
}

bool Fits(const std::string& schema, const std::string& data) {
  return Check(schema, data).violations.empty();
}

// [text, text, …]
template <class Text>
std::string Array(size_t size, Text text) {
  std::string array = "[";
  for (size_t i = 0; i < size; ++i) array.append(i == 0 ? "" : ",").append(text(i));
  return array + "]";
}

constexpr char k2019[] = "\"$schema\":\"https://json-schema.org/draft/2019-09/schema\",";
constexpr char k2020[] = "\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",";

#define EXPECT_FAULT(schema, begin, part)                    \
  do {                                                       \
    const std::string fault = Fault(schema);                 \
    EXPECT_TRUE(fault.starts_with(begin ": ")) << fault;     \
    EXPECT_NE(fault.find(part), std::string::npos) << fault; \
  } while (false)

TEST(JsonSchemaFaults, SchemasOfDrafts46And7Pass) {
  for (const char* schema :
       {"true", "{}", R"({"type":"object"})", R"({"type":["string","null"]})",
        R"({"$schema":"http://json-schema.org/draft-04/schema#","id":"http://a/b"})",
        R"({"$schema":"http://json-schema.org/draft-06/schema#"})",
        R"({"$schema":"http://json-schema.org/draft-07/schema#","$id":"http://a/b",
            "if":{"type":"string"},"then":{"minLength":1},"else":false,
            "dependencies":{"a":["b"],"c":{"required":["d"]}},
            "items":[{"type":"integer"}],"additionalItems":false,
            "properties":{"$ref":{"type":"string"},"$defs":{},"format":{},"type":{},"pattern":{}},
            "patternProperties":{"^x-":{"format":"uuid"}},"enum":[{"$ref":"no"}],
            "examples":[{"type":"none"}]})",
        R"({"definitions":{"a":{"$ref":"#/definitions/b"},"b":{"type":"null"}},
            "properties":{"x":{"$ref":"#/definitions/a"},"y":{"$ref":"#/definitions/a"}}})"})
    EXPECT_EQ(Fault(schema), "") << schema;
}

TEST(JsonSchemaFaults, AReferenceThatLeadsBackForTheSameValueIsCircular) {
  EXPECT_FAULT(R"({"$ref":"#"})", "/$ref", "circular");
  EXPECT_FAULT(R"({"anyOf":[{"type":"null"},{"$ref":"#"}]})", "/anyOf/1/$ref", "circular");
  EXPECT_FAULT(R"({"definitions":{"a":{"not":{"$ref":"#/definitions/b"}},
                                  "b":{"if":{"$ref":"#/definitions/a"}}}, "$ref":"#/definitions/a"})",
               "/definitions/b/if/$ref", "circular");
}

TEST(JsonSchemaFaults, AReferenceBackForWhatIsBelowIsAllowed) {
  constexpr char kTree[] =
      R"({"type":"object","required":["v"],"properties":{"v":{"type":"integer"},
          "children":{"items":{"$ref":"#"}}}})";
  EXPECT_TRUE(Fits(kTree, R"({"v":1,"children":[{"v":2,"children":[{"v":3}]}]})"));
  const auto wrong = Check(kTree, R"({"v":1,"children":[{"v":2,"children":[{"v":"3"}]}]})");
  ASSERT_EQ(wrong.violations.size(), 1U);
  EXPECT_EQ(wrong.violations[0].pointer, "/children/0/children/0/v");
}

TEST(JsonSchemaFaults, AReferenceThatLeavesTheFileOrLeadsNowhereIsRefused) {
  for (const char* schema :
       {R"({"items":{"$ref":"http://example.com/a.json"}})", R"({"items":{"$ref":"b.json#/a"}})",
        R"({"items":{"$ref":"file:///etc/passwd"}})",
        R"({"items":{"$ref":"http://json-schema.org/draft-07/schema#"}})"})
    EXPECT_FAULT(schema, "/items/$ref", "leaves this file");
  for (const char* schema :
       {R"({"items":{"$ref":"#/definitions/none"}})", R"({"items":{"$ref":"#anchor"}})",
        R"({"items":{"$ref":"#/items/~2"}})", R"({"items":{"$ref":"#/%zz"}})",
        R"({"allOf":[{}],"items":{"$ref":"#/allOf/1"}})"})
    EXPECT_FAULT(schema, "/items/$ref", "leads nowhere");
}

TEST(JsonSchemaFaults, AReferenceMustLeadToASchema) {
  EXPECT_FAULT(R"({"enum":[1],"items":{"$ref":"#/enum"}})", "/enum", "must be an object");
}

TEST(JsonSchemaFaults, KeywordsOfLaterDraftsAreRefused) {
  for (const char* name :
       {"unevaluatedProperties", "unevaluatedItems", "dependentRequired", "dependentSchemas",
        "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor", "$defs",
        "minContains", "maxContains", "prefixItems", "$vocabulary"}) {
    const auto faults = FaultsOf({{"properties", {{"a", {{name, json::object()}}}}}});
    ASSERT_EQ(faults.size(), 1U) << name;
    EXPECT_EQ(faults[0].pointer, std::string("/properties/a/") + name);
    EXPECT_NE(faults[0].message.find("later draft than 7"), std::string::npos);
    EXPECT_NE(faults[0].hint.find("$schema"), std::string::npos);
  }
}

TEST(JsonSchemaFaults, KeywordsAfterDraft4AreRefusedInASchemaOfDraft4) {
  for (const char* name : {"const", "contains", "propertyNames", "if", "then", "else"}) {
    json schema{{"items", {{name, json::object()}}}};
    EXPECT_TRUE(FaultsOf(schema).empty()) << name;
    schema["$schema"] = "http://json-schema.org/draft-04/schema#";
    const auto faults = FaultsOf(schema);
    ASSERT_EQ(faults.size(), 1U) << name;
    EXPECT_EQ(faults[0].pointer, std::string("/items/") + name);
  }
}

TEST(JsonSchemaFaults, KeywordsOfEarlierDraftsAreRefused) {
  EXPECT_FAULT("{" + std::string(k2020) + R"("items":{"$recursiveRef":"#"}})",
               "/items/$recursiveRef", "an earlier draft than 2020-12");
  EXPECT_FAULT("{" + std::string(k2020) + R"("prefixItems":[{}],"additionalItems":false})",
               "/additionalItems", "an earlier draft than 2020-12");
  EXPECT_FAULT("{" + std::string(k2020) + R"("items":[{}]})", "/items", "must be an object");
}

TEST(JsonSchemaFaults, AnotherDialectIsRefused) {
  for (const char* schema :
       {R"({"$schema":"https://example.com/schema"})",
        R"({"$schema":"http://json-schema.org/draft-03/schema#"})", R"({"$schema":7})"})
    EXPECT_FAULT(schema, "/$schema", "dialect");
}

TEST(JsonSchemaFaults, AnUnknownTypeIsRefused) {
  EXPECT_FAULT(R"({"properties":{"a/b~c":{"type":"text"}}})", "/properties/a~1b~0c/type",
               "\"text\"");
  EXPECT_FAULT(R"({"type":["string","any"]})", "/type", "any");
  EXPECT_FAULT(R"({"type":7})", "/type", "7");
}

TEST(JsonSchemaFaults, ARegularExpressionThatRe2RefusesIsRefused) {
  for (const char* schema :
       {R"j({"pattern":"("})j", R"j({"pattern":"a(?=b)"})j", R"j({"pattern":"(a)\\1"})j",
        R"j({"pattern":"[z-a]"})j", R"j({"pattern":"a{9999}"})j",
        R"j({"pattern":"((((a{100}){100}){100}){100})"})j"})
    EXPECT_FAULT(schema, "/pattern", "is refused");
  EXPECT_FAULT(R"j({"allOf":[{},{"patternProperties":{"(":{}}}]})j", "/allOf/1/patternProperties/(",
               "is refused");
}

TEST(JsonSchemaFaults, ARepeatedRepetitionIsRefused) {
  for (const char* schema :
       {R"j({"pattern":"^(a+)+$"})j", R"j({"pattern":"(.*)*"})j", R"j({"pattern":"(?:[a-z)]*)+"})j",
        R"j({"pattern":"((a+))+"})j", R"j({"pattern":"(\\d+)*x"})j",
        R"j({"pattern":"(?P<n>a+?)+"})j", R"j({"pattern":"((ab)+)*"})j"})
    EXPECT_FAULT(schema, "/pattern", "repeats a repetition");
}

TEST(JsonSchemaFaults, TheUsualPatternsOfRepeatedPartsPass) {
  for (const char* schema :
       {R"j({"pattern":"^[a-z0-9]+(-[a-z0-9]+)*$"})j", R"j({"pattern":"^([a-z]+\\.)+[a-z]{2,}$"})j",
        R"j({"pattern":"^(/[^/]+)+$"})j", R"j({"pattern":"^\\d+(,\\d+)*$"})j",
        R"j({"pattern":"^(a+)?$"})j", R"j({"pattern":"\\(a+\\)+"})j", R"j({"pattern":"[(a+)]+"})j",
        R"j({"pattern":"^(ab*c)+$"})j"})
    EXPECT_EQ(Fault(schema), "") << schema;
}

TEST(JsonSchemaFaults, AFormatThatIsNotCheckedIsRefused) {
  EXPECT_FAULT(R"({"properties":{"a":{"format":"idn-email"}}})", "/properties/a/format",
               "\"idn-email\"");
  EXPECT_FAULT(R"({"format":7})", "/format", "7");
}

TEST(JsonSchemaFaults, SchemasInsideKeywordsAreChecked) {
  for (const char* name : {"additionalProperties", "additionalItems", "not", "if", "then", "else",
                           "contains", "propertyNames", "items"}) {
    const auto faults = FaultsOf({{name, {{"type", "none"}}}});
    ASSERT_EQ(faults.size(), 1U) << name;
    EXPECT_EQ(faults[0].pointer, std::string("/") + name + "/type");
  }
  for (const char* name : {"allOf", "anyOf", "oneOf", "items"}) {
    const auto faults = FaultsOf({{name, {true, {{"type", "none"}}}}});
    ASSERT_EQ(faults.size(), 1U) << name;
    EXPECT_EQ(faults[0].pointer, std::string("/") + name + "/1/type");
  }
  for (const char* name : {"properties", "patternProperties", "definitions", "dependencies"}) {
    const auto faults = FaultsOf({{name, {{"k", {{"type", "none"}}}}}});
    ASSERT_EQ(faults.size(), 1U) << name;
    EXPECT_EQ(faults[0].pointer, std::string("/") + name + "/k/type");
  }
}

TEST(JsonSchemaFaults, WhatIsNoSchemaIsRefused) {
  for (const char* schema : {"1", "\"a\"", "[]", "null", "", "{"})
    EXPECT_NE(Fault(schema), "") << schema;
  EXPECT_FAULT(R"({"properties":{"a":1}})", "/properties/a", "must be an object");
}

TEST(JsonSchemaFaults, DeepNestingIsRefused) {
  json schema = json::object();
  for (int i = 0; i < 100; ++i) schema = {{"not", schema}};
  EXPECT_NE(Fault(schema.dump()).find("more than 64 schemas"), std::string::npos);
}

TEST(JsonSchemaFaults, EveryFaultIsReportedOnce) {
  EXPECT_EQ(Faults(R"({"definitions":{"a":{"type":"none"}},
                       "properties":{"x":{"$ref":"#/definitions/a"},"y":{"$ref":"#/definitions/a"},
                                     "z":{"format":"idn-email","pattern":"("}}})")
                .size(),
            3U);
}

TEST(JsonSchemaFaults, FormsOfKeywordsAreChecked) {
  for (const char* schema :
       {R"({"minLength":-1})", R"({"maxItems":1.5})", R"({"minItems":"1"})", R"({"multipleOf":0})",
        R"({"multipleOf":-1})", R"({"maximum":"1"})", R"({"uniqueItems":1})", R"({"enum":{}})",
        R"({"required":"a"})", R"({"required":[1]})", R"({"properties":[]})", R"({"allOf":[]})",
        R"({"anyOf":{}})", R"({"dependencies":[]})", R"({"dependencies":{"a":1}})",
        R"({"pattern":7})", R"({"items":7})"})
    EXPECT_NE(Fault(schema), "") << schema;
  EXPECT_EQ(Fault(R"({"maxItems":2.0,"minLength":1e0})"), "");
}

TEST(JsonSchemaFaults, TheyAreFewHoweverManyThereAre) {
  EXPECT_EQ(
      Faults("{\"allOf\":" + Array(1000, [](size_t) { return R"({"type":"x"})"; }) + "}").size(),
      20U);
}

TEST(JsonSchemaDrafts, AreToldBySchemaAnd7WithoutIt) {
  // In draft 7 a reference hides its sibling keywords; in later ones it does not.
  const std::string body = R"("$ref":"#/definitions/a","definitions":{"a":{}},"type":"string"})";
  EXPECT_TRUE(Fits("{" + body, "1"));
  EXPECT_FALSE(Fits("{" + std::string(k2019) + body, "1"));
  EXPECT_FALSE(Fits("{" + std::string(k2020) + body, "1"));
  EXPECT_FALSE(
      Fits(R"({"$schema":"http://json-schema.org/draft-04/schema#","type":"integer"})", "1.0"));
}

TEST(JsonSchemaDrafts, KeywordsOf2019And2020AreChecked) {
  for (const std::string draft : {k2019, k2020}) {
    EXPECT_FALSE(Fits("{" + draft + R"("dependentRequired":{"a":["b"]}})", R"({"a":1})"));
    EXPECT_FALSE(
        Fits("{" + draft + R"("dependentSchemas":{"a":{"maxProperties":1}}})", R"({"a":1,"b":1})"));
    EXPECT_FALSE(Fits("{" + draft + R"("contains":{"const":1},"maxContains":1})", "[1,1]"));
    EXPECT_TRUE(Fits("{" + draft + R"("contains":{"const":1},"minContains":0})", "[]"));
    const std::string closed = "{" + draft +
                               R"("$defs":{"base":{"properties":{"id":true}}},"$ref":"#/$defs/base",
           "properties":{"a":true},"unevaluatedProperties":false})";
    EXPECT_TRUE(Fits(closed, R"({"id":1,"a":1})"));
    const auto wrong = Check(closed, R"({"id":1,"b":1})");
    ASSERT_EQ(wrong.violations.size(), 1U);
    EXPECT_EQ(wrong.violations[0].pointer, "/b");
  }
  const std::string tuple =
      "{" + std::string(k2020) + R"("prefixItems":[{"type":"string"}],"items":{"type":"integer"}})";
  EXPECT_TRUE(Fits(tuple, R"(["a",1,2])"));
  EXPECT_FALSE(Fits(tuple, R"(["a","b"])"));
}

TEST(JsonSchemaReferences, MayHavePercentEscapesAndAnchors) {
  EXPECT_FALSE(Fits(R"({"definitions":{"a b%\"":{"type":"null"}},
                        "items":{"$ref":"#/definitions/a%20b%25%22"}})",
                    "[1]"));
  EXPECT_FALSE(Fits(
      R"({"definitions":{"x":{"$id":"#here","type":"null"}},"items":{"$ref":"#here"}})", "[1]"));
  EXPECT_FALSE(Fits(R"({"$id":"http://example.com/a","definitions":{"x":{"$id":"b","type":"null"}},
                        "items":{"$ref":"http://example.com/b"}})",
                    "[1]"));
  EXPECT_FALSE(Fits(R"({"shared":{"f":{"type":"null"}},"items":{"$ref":"#/shared/f"}})", "[1]"));
}

TEST(JsonSchemaNumbers, MultiplesAreThoseOfDecimalArithmetic) {
  for (const auto& [divisor, number] : {std::pair("0.01", "19.99"),
                                        {"0.01", "20"},
                                        {"1e-8", "12391239123"},
                                        {"0.1", "1e300"},
                                        {"1", "1e400"},
                                        {"2.5", "0"},
                                        {"0.01", "1234567890123.45"},
                                        {"3", "123456789012345678901234567890"}})
    EXPECT_TRUE(Fits(std::string(R"({"multipleOf":)") + divisor + "}", number)) << number;
  for (const auto& [divisor, number] : {std::pair("1", "1.5"),
                                        {"0.01", "19.999"},
                                        {"2", "9007199254740993"},
                                        {"3", "123456789012345678901234567891"},
                                        {"0.01", "1e-400"}})
    EXPECT_FALSE(Fits(std::string(R"({"multipleOf":)") + divisor + "}", number)) << number;
  for (int cents = 1; cents <= 10'000; cents += 7) {
    const std::string rest = std::to_string(100 + cents % 100).substr(1);
    EXPECT_TRUE(Fits(R"({"multipleOf":0.01})", std::to_string(cents / 100) + "." + rest)) << cents;
  }
}

TEST(JsonSchemaNumbers, AreComparedByValueInEveryRange) {
  for (const auto& [schema, number] : {std::pair(R"({"maximum":10})", "18446744073709551615"),
                                       {R"({"maximum":10.5})", "123456789012345678901"},
                                       {R"({"maximum":9007199254740992.5})", "9007199254740993"},
                                       {R"({"maximum":10})", "1e400"},
                                       {R"({"minimum":-1e400})", "-1e401"},
                                       {R"({"exclusiveMinimum":1e400})", "10e399"},
                                       {R"({"enum":[1234567890123456789]})", "1234567890123456788"},
                                       {R"({"const":9007199254740993})", "9007199254740992.0"},
                                       {R"({"const":18446744073709551615})", "-1"},
                                       {R"({"const":0.1})", "0.10000000000000000001"},
                                       {R"({"type":"integer"})", "1e-1"},
                                       {R"({"type":"string"})", "1e400"}})
    EXPECT_FALSE(Fits(schema, number)) << schema << " " << number;
  for (const auto& [schema, number] :
       {std::pair("{}", "1e400"),
        {R"({"type":"integer"})", "1e16"},
        {R"({"type":"integer"})", "1e400"},
        {R"({"type":"integer"})", "18446744073709551616.0"},
        {R"({"type":"number"})", "123456789012345678901"},
        {R"({"maximum":123456789012345678901})", "123456789012345678900.5"},
        {R"({"const":1e400})", "10e399"},
        {R"({"enum":[1]})", "1.0"},
        {R"({"const":{"a":[0]}})", R"({"a":[-0.0e5]})"}})
    EXPECT_TRUE(Fits(schema, number)) << schema << " " << number;
}

TEST(JsonSchemaUniqueItems, AreEqualByValue) {
  constexpr char kUnique[] = R"({"uniqueItems":true})";
  for (const char* data : {"[1,1.0]", "[{\"a\":1,\"b\":[2]},{\"b\":[20e-1],\"a\":1}]", "[[],[]]",
                           R"(["\u0061","a"])", "[null,2,null]", "[1e400,10e399]"})
    EXPECT_FALSE(Fits(kUnique, data)) << data;
  for (const char* data :
       {"[1,true]", "[0,false,null,\"\"]", R"([12345678901234567890123,"12345678901234567890123"])",
        "[{\"a\":1},{\"b\":1}]", "[[1,2],[2,1]]", "[\"1\",1]"})
    EXPECT_TRUE(Fits(kUnique, data)) << data;
  EXPECT_EQ(Check(kUnique, "[5,7,6,7]").violations[0].message, "the items 1 and 3 are equal");
}

TEST(JsonSchemaLimits, AtMostTwentyErrorsAreListed) {
  const std::string many = Array(500'000, [](size_t) { return "1"; });
  for (const char* schema :
       {R"({"items":{"type":"string"}})", R"({"allOf":[{"items":{"type":"string"}}]})",
        R"({"items":{"allOf":[false,false]}})", R"({"items":false})"}) {
    const auto verdict = Check(schema, many);
    EXPECT_EQ(verdict.violations.size(), kMaxViolations) << schema;
    EXPECT_TRUE(verdict.more) << schema;
  }
  const auto twenty =
      Check(R"({"items":{"type":"string"}})", Array(20, [](size_t) { return "1"; }));
  EXPECT_EQ(twenty.violations.size(), 20U);
  EXPECT_FALSE(twenty.more);
  EXPECT_EQ(
      Check(R"({"uniqueItems":true})", Array(1000, [](size_t) { return "1"; })).violations.size(),
      1U);
}

TEST(JsonSchemaLimits, ErrorsAreShortWhateverTheyEcho) {
  // The longest as JSON: control characters, which take six bytes each, in names and in values.
  std::string text;
  for (int i = 0; i < 5'000; ++i) text += "\\u0001";
  std::string data = "{\"" + text + "\":{";
  for (int i = 0; i < 30; ++i)
    data += (i == 0 ? "\"" : ",\"") + text + std::to_string(i) + "\":\"" + text + "\"";
  const auto verdict =
      Check(R"({"additionalProperties":{"additionalProperties":{"enum":[1]}}})", data + "}}");
  ASSERT_EQ(verdict.violations.size(), kMaxViolations);
  size_t answer = 0;
  for (const auto& violation : verdict.violations)
    answer += json(violation.pointer).dump().size() + json(violation.message).dump().size() + 30;
  EXPECT_LT(answer, 60U << 10);
}

TEST(JsonSchemaLimits, WhatBelongsToAUsualEventIsFarFromThem) {
  // 30,000 different ids, a few thousand values in an enum, and texts of a megabyte.
  EXPECT_TRUE(
      Fits(R"({"uniqueItems":true})", Array(30'000, [](size_t i) { return std::to_string(i); })));
  EXPECT_TRUE(Fits(R"({"uniqueItems":true})",
                   Array(30'000, [](size_t i) { return "{\"id\":" + std::to_string(i) + "}"; })));
  const auto name = [](size_t i) { return "\"v" + std::to_string(i % 5000) + "\""; };
  EXPECT_TRUE(Fits("{\"items\":{\"enum\":" + Array(5000, name) + "}}", Array(10'000, name)));
  const std::string text = "\"" + std::string(1'000'000, 'a') + "\"";
  for (const char* schema : {R"({"pattern":"^.*$"})", R"j({"pattern":"^(a|aa)+$"})j",
                             R"({"pattern":"^[A-Za-z0-9+/=]*$"})", R"({"pattern":"^\\p{L}+$"})",
                             R"({"minLength":1000000})", R"({"format":"uri-reference"})"})
    EXPECT_TRUE(Fits(schema, text)) << schema;
}

// The schemas d<level> and "$ref" to the last, each of which names the one before twice.
std::string Doubling(int levels, const std::string& keyword) {
  json schema{{"definitions", {{"d0", {{"type", "integer"}}}}},
              {"$ref", "#/definitions/d" + std::to_string(levels)}};
  for (int i = 1; i <= levels; ++i) {
    const json below{{"$ref", "#/definitions/d" + std::to_string(i - 1)}};
    schema["definitions"]["d" + std::to_string(i)][keyword] = {below, below};
  }
  return schema.dump();
}

void ExpectStopped(const std::string& schema, const std::string& data) {
  const auto verdict = Check(schema, data);
  ASSERT_FALSE(verdict.violations.empty()) << schema.substr(0, 80);
  EXPECT_NE(verdict.violations.back().message.find("1500000 validation steps"), std::string::npos)
      << verdict.violations.back().message;
}

TEST(JsonSchemaLimits, WhatWouldTakeLongIsStoppedByName) {
  ExpectStopped(Doubling(25, "anyOf"), "\"a\"");
  ExpectStopped(Doubling(25, "allOf"), "1");
  ExpectStopped(Doubling(25, "oneOf"), "1");
  const auto one = [](size_t) { return "1"; };
  ExpectStopped(R"({"items":{"anyOf":[{"type":"string"},{"type":"null"},{"type":"integer"}]}})",
                Array(500'000, one));
  ExpectStopped("{\"not\":{\"items\":{\"type\":\"integer\",\"minimum\":0}}}", Array(500'000, one));
  std::string members = "{";
  for (int i = 0; i < 50'000; ++i)
    members += (i == 0 ? "\"k" : ",\"k") + std::to_string(i) + "\":1";
  members += "}";
  json patterns;
  json alternatives = json::array();
  for (int i = 0; i < 300; ++i) {
    patterns["^x" + std::to_string(i)] = true;
    alternatives.push_back({{"properties", {{"k" + std::to_string(i), true}}}});
  }
  ExpectStopped(json{{"patternProperties", patterns}}.dump(), members);
  ExpectStopped(json{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                     {"anyOf", alternatives},
                     {"unevaluatedProperties", true}}
                    .dump(),
                members);
}

TEST(JsonSchemaLimits, AnExpressionThatIsSlowOnItsTextIsStoppedByName) {
  // More states than RE2 keeps: hundreds of nanoseconds for each byte.
  std::string text = "\"";
  uint32_t random = 1;
  for (int i = 0; i < 1'000'000; ++i) {
    random = random * 1664525U + 1013904223U;
    text += (random >> 24 & 1U) != 0 ? 'a' : 'b';
  }
  ExpectStopped(R"j({"pattern":"(a|b)*a(a|b){60}c"})j", text + "\"");
}

TEST(JsonSchemaLimits, ReferencesWithinReferencesEnd) {
  // Each level is a value deeper, and the depth of JSON ends them.
  const std::string deep = std::string(127, '[') + "1" + std::string(127, ']');
  EXPECT_TRUE(Fits(R"({"anyOf":[{"items":{"$ref":"#"}},{"type":"integer"}]})", deep));
  EXPECT_FALSE(Fits(R"({"items":{"$ref":"#"},"type":"array"})", deep));
}

}  // namespace
}  // namespace outrigger::event
