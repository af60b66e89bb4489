// The required part of the JSON Schema Test Suite, which .dev/schema_suite.sh puts into the cache
// folder; OUTRIGGER_SCHEMA_SUITE says where. ./dev test sets it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "event/json_schema.h"

namespace outrigger::event {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string Text(const fs::path& file) {
  std::stringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

// What references of the suite lead to, as its README says, and the metaschemas.
std::map<std::string, std::string> Documents(const fs::path& suite) {
  std::map<std::string, std::string> documents;
  const fs::path remotes = suite / "remotes";
  for (const auto& entry : fs::recursive_directory_iterator(remotes))
    if (entry.path().extension() == ".json")
      documents["http://localhost:1234/" + entry.path().lexically_relative(remotes).string()] =
          Text(entry.path());
  for (const auto& entry : fs::recursive_directory_iterator(suite / "metaschemas")) {
    if (!entry.is_regular_file()) continue;
    const std::string text = Text(entry.path());
    const auto schema = json::parse(text, nullptr, false);
    if (!schema.is_object()) continue;
    std::string id = schema.value("$id", schema.value("id", ""));
    documents[id.substr(0, id.find('#'))] = text;
  }
  return documents;
}

class SchemaSuite : public testing::TestWithParam<std::pair<const char*, Draft>> {};

// As the suite writes numbers: nlohmann would round them.
std::vector<JsonNode> Items(JsonNode array) {
  std::vector<JsonNode> items;
  for (size_t i = 0; i < array.size(); ++i) items.push_back(array[i]);
  return items;
}

TEST_P(SchemaSuite, PassesWhole) {
  const char* folder = std::getenv("OUTRIGGER_SCHEMA_SUITE");
  if (folder == nullptr) GTEST_SKIP() << "OUTRIGGER_SCHEMA_SUITE is not set; ./dev test sets it";
  const auto& [name, draft] = GetParam();
  JsonSchema::Options options;
  options.documents = Documents(folder);
  options.draft = draft;
  options.strict = false;
  size_t cases = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(folder) / "tests" / name)) {
    if (!entry.is_regular_file()) continue;
    const std::string text = Text(entry.path());
    const auto tree = JsonTree::Parse(text);
    ASSERT_TRUE(tree) << entry.path();
    for (const JsonNode group : Items(tree->root())) {
      const std::string where =
          entry.path().filename().string() + ": " + std::string(group.Find("description")->text());
      const JsonNode schema_node = *group.Find("schema");
      std::vector<SchemaFault> faults;
      const auto schema = JsonSchema::Compile(schema_node.text(), options, faults);
      for (const auto& fault : faults)
        ADD_FAILURE() << where << ": " << fault.pointer << ": " << fault.message;
      for (const JsonNode test : Items(*group.Find("tests"))) {
        ++cases;
        if (!schema) continue;
        const JsonNode data = *test.Find("data");
        const std::string data_text = data.kind() == JsonKind::kString
                                          ? json(std::string(data.text())).dump()
                                          : std::string(data.text());
        const auto data_tree = JsonTree::Parse(data_text);
        ASSERT_TRUE(data_tree) << where;
        EXPECT_EQ(schema->Check(*data_tree).violations.empty(), test.Find("valid")->IsTrue())
            << where << ": " << test.Find("description")->text() << ": " << data_text;
      }
    }
  }
  EXPECT_GT(cases, 600U);
}

INSTANTIATE_TEST_SUITE_P(Drafts, SchemaSuite,
                         testing::Values(std::pair("draft4", Draft::k4),
                                         std::pair("draft6", Draft::k6),
                                         std::pair("draft7", Draft::k7),
                                         std::pair("draft2019-09", Draft::k2019),
                                         std::pair("draft2020-12", Draft::k2020)));

}  // namespace
}  // namespace outrigger::event
