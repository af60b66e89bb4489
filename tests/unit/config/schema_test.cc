#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "config/load.h"

namespace outrigger::config {
namespace {

TEST(JsonSchema, IsJsonAndKnowsEveryFieldOfTheTop) {
  const auto schema = nlohmann::json::parse(JsonSchema(), nullptr, false);
  ASSERT_FALSE(schema.is_discarded());
  EXPECT_EQ(schema["$schema"], "http://json-schema.org/draft-07/schema#");
  EXPECT_EQ(schema["additionalProperties"], false);
  for (const char* name : {"apiVersion", "kind", "kafka", "routes", "http", "ops", "log",
                           "shutdown", "subscriptions", "rebalance", "spool"})
    EXPECT_TRUE(schema["properties"].contains(name)) << name;
  // What this version lacks is not offered.
  EXPECT_FALSE(schema["properties"].contains("topics"));
  EXPECT_EQ(schema["properties"]["http"]["properties"]["maxBody"]["default"], "1MiB");
}

void ExpectDescribed(const nlohmann::json& schema, const std::string& path) {
  if (!schema.contains("properties")) return;
  for (const auto& [name, field] : schema["properties"].items()) {
    EXPECT_NE(field.value("description", ""), "") << path << "." << name;
    ExpectDescribed(field, path + "." + name);
    if (field.contains("items")) ExpectDescribed(field["items"], path + "." + name + "[]");
  }
}

TEST(JsonSchema, DescribesEveryField) { ExpectDescribed(nlohmann::json::parse(JsonSchema()), ""); }

// Field names and defaults are promises. OUTRIGGER_UPDATE_GOLDEN=1 rewrites the file after a change
// on purpose.
TEST(JsonSchema, IsTheGoldenOne) {
  const std::string file = std::string(OUTRIGGER_SOURCE_DIR) + "/tests/golden/config.schema.json";
  if (std::getenv("OUTRIGGER_UPDATE_GOLDEN") != nullptr) std::ofstream(file) << JsonSchema();
  std::stringstream golden;
  golden << std::ifstream(file).rdbuf();
  EXPECT_EQ(JsonSchema(), golden.str()) << "OUTRIGGER_UPDATE_GOLDEN=1 rewrites " << file;
}

}  // namespace
}  // namespace outrigger::config
