#include "event/schema_lint.h"

#include <gtest/gtest.h>

namespace outrigger::event {
namespace {

using nlohmann::json;

std::vector<SchemaFault> Faults(const char* schema) { return LintSchema(json::parse(schema)); }

// "pointer: message" of the only fault; "" when there is none.
std::string Fault(const char* schema) {
  const auto faults = Faults(schema);
  EXPECT_LE(faults.size(), 1U) << schema;
  return faults.empty() ? std::string() : faults[0].pointer + ": " + faults[0].message;
}

#define EXPECT_FAULT(schema, begin, part)                    \
  do {                                                       \
    const std::string fault = Fault(schema);                 \
    EXPECT_TRUE(fault.starts_with(begin ": ")) << fault;     \
    EXPECT_NE(fault.find(part), std::string::npos) << fault; \
  } while (false)

TEST(SchemaLint, SchemasOfDrafts46And7Pass) {
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

TEST(SchemaLint, AReferenceThatLeadsBackIsCircular) {
  EXPECT_FAULT(R"({"$ref":"#"})", "/$ref", "circular");
  EXPECT_FAULT(R"({"properties":{"child":{"$ref":"#"}}})", "/properties/child/$ref", "circular");
  EXPECT_FAULT(R"({"definitions":{"a":{"items":{"$ref":"#/definitions/a"}}}})",
               "/definitions/a/items/$ref", "circular");
}

TEST(SchemaLint, ReferencesThatLeadToEachOtherAreCircular) {
  const auto faults = Faults(
      R"({"definitions":{"a":{"properties":{"b":{"$ref":"#/definitions/b"}}},
                         "b":{"properties":{"a":{"$ref":"#/definitions/a"}}}},
          "properties":{"x":{"$ref":"#/definitions/a"}}})");
  ASSERT_FALSE(faults.empty());
  for (const auto& fault : faults)
    EXPECT_NE(fault.message.find("circular"), std::string::npos) << fault.message;
  EXPECT_EQ(faults[0].pointer.find("/definitions/"), 0U) << faults[0].pointer;
}

TEST(SchemaLint, AReferenceThatLeavesTheFileOrLeadsNowhereIsRefused) {
  for (const char* schema :
       {R"({"items":{"$ref":"http://example.com/a.json"}})", R"({"items":{"$ref":"b.json#/a"}})",
        R"({"items":{"$ref":"file:///etc/passwd"}})", R"({"items":{"$ref":""}})",
        R"({"items":{"$ref":7}})"})
    EXPECT_FAULT(schema, "/items/$ref", "leaves this file");
  for (const char* schema :
       {R"({"items":{"$ref":"#/definitions/none"}})", R"({"items":{"$ref":"#anchor"}})",
        R"({"items":{"$ref":"#/items/~2"}})"})
    EXPECT_FAULT(schema, "/items/$ref", "leads nowhere");
}

TEST(SchemaLint, AReferenceMustLeadToASchema) {
  EXPECT_FAULT(R"({"enum":[1],"items":{"$ref":"#/enum"}})", "/enum", "must be an object");
}

TEST(SchemaLint, KeywordsOfLaterDraftsAreRefused) {
  for (const char* name :
       {"unevaluatedProperties", "unevaluatedItems", "dependentRequired", "dependentSchemas",
        "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor", "$defs",
        "minContains", "maxContains", "prefixItems", "$vocabulary"}) {
    const auto faults = LintSchema({{"properties", {{"a", {{name, json::object()}}}}}});
    ASSERT_EQ(faults.size(), 1U) << name;
    EXPECT_EQ(faults[0].pointer, std::string("/properties/a/") + name);
    EXPECT_NE(faults[0].message.find("later draft"), std::string::npos);
  }
}

TEST(SchemaLint, KeywordsAfterDraft4AreRefusedInASchemaOfDraft4) {
  for (const char* name : {"const", "contains", "propertyNames", "if", "then", "else"}) {
    json schema{{"items", {{name, json::object()}}}};
    EXPECT_TRUE(LintSchema(schema).empty()) << name;
    schema["$schema"] = "http://json-schema.org/draft-04/schema#";
    const auto faults = LintSchema(schema);
    ASSERT_EQ(faults.size(), 1U) << name;
    EXPECT_EQ(faults[0].pointer, std::string("/items/") + name);
  }
}

TEST(SchemaLint, AnotherDialectIsRefused) {
  for (const char* schema :
       {R"({"$schema":"https://json-schema.org/draft/2020-12/schema"})",
        R"({"$schema":"https://json-schema.org/draft/2019-09/schema"})",
        R"({"$schema":"http://json-schema.org/draft-03/schema#"})", R"({"$schema":7})"})
    EXPECT_FAULT(schema, "/$schema", "dialect");
}

TEST(SchemaLint, AnUnknownTypeIsRefused) {
  EXPECT_FAULT(R"({"properties":{"a/b~c":{"type":"text"}}})", "/properties/a~1b~0c/type",
               "\"text\"");
  EXPECT_FAULT(R"({"type":["string","any"]})", "/type", "any");
  EXPECT_FAULT(R"({"type":7})", "/type", "7");
}

TEST(SchemaLint, ARegularExpressionThatRe2RefusesIsRefused) {
  for (const char* schema :
       {R"j({"pattern":"("})j", R"j({"pattern":"a(?=b)"})j", R"j({"pattern":"(a)\\1"})j",
        R"j({"pattern":"[z-a]"})j", R"j({"pattern":"a{9999}"})j",
        R"j({"pattern":"((((a{100}){100}){100}){100})"})j"})
    EXPECT_FAULT(schema, "/pattern", "is refused");
  EXPECT_FAULT(R"j({"allOf":[{},{"patternProperties":{"(":{}}}]})j", "/allOf/1/patternProperties/(",
               "is refused");
}

TEST(SchemaLint, ARepeatedRepetitionIsRefused) {
  for (const char* schema :
       {R"j({"pattern":"^(a+)+$"})j", R"j({"pattern":"(.*)*"})j", R"j({"pattern":"(?:[a-z)]*)+"})j",
        R"j({"pattern":"((a+))+"})j", R"j({"pattern":"(\\d+)*x"})j",
        R"j({"pattern":"(?P<n>a+?)+"})j", R"j({"pattern":"((ab)+)*"})j"})
    EXPECT_FAULT(schema, "/pattern", "repeats a repetition");
}

TEST(SchemaLint, TheUsualPatternsOfRepeatedPartsPass) {
  for (const char* schema :
       {R"j({"pattern":"^[a-z0-9]+(-[a-z0-9]+)*$"})j", R"j({"pattern":"^([a-z]+\\.)+[a-z]{2,}$"})j",
        R"j({"pattern":"^(/[^/]+)+$"})j", R"j({"pattern":"^\\d+(,\\d+)*$"})j",
        R"j({"pattern":"^(a+)?$"})j", R"j({"pattern":"\\(a+\\)+"})j", R"j({"pattern":"[(a+)]+"})j",
        R"j({"pattern":"^(ab*c)+$"})j"})
    EXPECT_EQ(Fault(schema), "") << schema;
}

TEST(SchemaLint, AFormatThatIsNotCheckedIsRefused) {
  EXPECT_FAULT(R"({"properties":{"a":{"format":"iri"}}})", "/properties/a/format", "\"iri\"");
  EXPECT_FAULT(R"({"format":7})", "/format", "7");
}

TEST(SchemaLint, WhatStandsInTheArmsOfASchemaIsSeen) {
  for (const char* name : {"additionalProperties", "additionalItems", "not", "if", "then", "else",
                           "contains", "propertyNames", "items"}) {
    const auto faults = LintSchema({{name, {{"type", "none"}}}});
    ASSERT_EQ(faults.size(), 1U) << name;
    EXPECT_EQ(faults[0].pointer, std::string("/") + name + "/type");
  }
  for (const char* name : {"allOf", "anyOf", "oneOf", "items"}) {
    const auto faults = LintSchema({{name, {true, {{"type", "none"}}}}});
    ASSERT_EQ(faults.size(), 1U) << name;
    EXPECT_EQ(faults[0].pointer, std::string("/") + name + "/1/type");
  }
  for (const char* name : {"properties", "patternProperties", "definitions", "dependencies"}) {
    const auto faults = LintSchema({{name, {{"k", {{"type", "none"}}}}}});
    ASSERT_EQ(faults.size(), 1U) << name;
    EXPECT_EQ(faults[0].pointer, std::string("/") + name + "/k/type");
  }
}

TEST(SchemaLint, WhatIsNoSchemaIsRefused) {
  for (const char* schema : {"1", "\"a\"", "[]", "null"}) EXPECT_NE(Fault(schema), "") << schema;
  EXPECT_FAULT(R"({"properties":{"a":1}})", "/properties/a", "must be an object");
}

TEST(SchemaLint, ReferencesThatMultiplyAreRefusedInShortTime) {
  json schema;
  schema["definitions"]["d0"] = json::object();
  for (int i = 1; i < 40; ++i) {
    const json below{{"$ref", "#/definitions/d" + std::to_string(i - 1)}};
    schema["definitions"]["d" + std::to_string(i)]["allOf"] = {below, below, below, below};
  }
  const auto faults = LintSchema(schema);
  ASSERT_FALSE(faults.empty());
  EXPECT_NE(faults[0].message.find("too large"), std::string::npos);
}

TEST(SchemaLint, DeepNestingIsRefused) {
  json schema = json::object();
  for (int i = 0; i < 100; ++i) schema = {{"not", schema}};
  EXPECT_FALSE(LintSchema(schema).empty());
}

TEST(SchemaLint, EveryFaultIsReportedOnce) {
  EXPECT_EQ(Faults(R"({"definitions":{"a":{"type":"none"}},
                       "properties":{"x":{"$ref":"#/definitions/a"},"y":{"$ref":"#/definitions/a"},
                                     "z":{"format":"iri","pattern":"("}}})")
                .size(),
            3U);
}

}  // namespace
}  // namespace outrigger::event
