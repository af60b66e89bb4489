#include "publish/routes.h"

#include <gtest/gtest.h>

#include "config/load.h"

namespace outrigger::publish {
namespace {

std::shared_ptr<const Routes> Build(const std::string& routes) {
  auto loaded = config::LoadText("apiVersion: outrigger/v1\nkind: Sidecar\nroutes:\n" + routes,
                                 "test.yaml", [](const char*) { return std::nullopt; });
  EXPECT_TRUE(loaded.ok()) << loaded.problems.front().text();
  auto table = Routes::Build(loaded.config, loaded.problems);
  EXPECT_TRUE(loaded.ok()) << loaded.problems.front().text();
  return table;
}

std::vector<size_t> Taken(const Routes& routes, event::Event event) {
  event::Data data(event);
  std::vector<size_t> indexes;
  const auto rules = routes.Select(event, data);
  EXPECT_TRUE(rules);
  for (const Rule* rule : *rules) indexes.push_back(rule->index);
  return indexes;
}

event::Event OfType(const std::string& type, const std::string& data = "{}") {
  event::Event event;
  event.type = type;
  event.data = data;
  event.data_is_json = true;
  return event;
}

using Indexes = std::vector<size_t>;

TEST(Routes, TheFirstMatchInTheFilesOrderWinsWhateverItsKind) {
  const auto routes = Build(
      "  - {match: {type: 'a.*.c'}, topic: t0}\n"
      "  - {match: {type: 'a.*'}, topic: t1}\n"
      "  - {match: {type: 'a.b'}, topic: t2}\n"
      "  - {match: {type: 'z'}, topic: t3}\n"
      "  - {match: {type: '*'}, topic: t4}\n");
  EXPECT_EQ(Taken(*routes, OfType("a.x.c")), Indexes{0});
  EXPECT_EQ(Taken(*routes, OfType("a.b")), Indexes{1});
  EXPECT_EQ(Taken(*routes, OfType("z")), Indexes{3});
  EXPECT_EQ(Taken(*routes, OfType("q")), Indexes{4});
}

TEST(Routes, ContinueGoesOnUntilARuleThatDoesNotSaySo) {
  const auto routes = Build(
      "  - {match: {type: 'a.*'}, topic: t0, continue: true}\n"
      "  - {match: {type: 'b.*'}, topic: t1, continue: true}\n"
      "  - {match: {type: 'a.b'}, topic: t2, continue: true}\n"
      "  - {match: {type: 'a.?'}, topic: t3}\n"
      "  - {topic: t4}\n");
  EXPECT_EQ(Taken(*routes, OfType("a.b")), (Indexes{0, 2, 3}));
  EXPECT_EQ(Taken(*routes, OfType("b.x")), (Indexes{1, 4}));
}

TEST(Routes, EveryLineOfAMatchMustHold) {
  const auto routes = Build(
      "  - {match: {type: 'o.*', source: '/shop/*', data.total.currency: EUR}, topic: t0}\n"
      "  - {topic: t1}\n");
  auto event = OfType("o.x", R"({"total":{"currency":"EUR"}})");
  EXPECT_EQ(Taken(*routes, event), Indexes{1});
  event.source = "/shop/de";
  EXPECT_EQ(Taken(*routes, event), Indexes{0});
  event.data = R"({"total":{"currency":"USD"}})";
  EXPECT_EQ(Taken(*routes, event), Indexes{1});
}

TEST(Routes, NoRuleTakesNothing) {
  EXPECT_EQ(Taken(*Build("  - {match: {type: a}, topic: t}\n"), OfType("b")), Indexes{});
}

TEST(Routes, ARuleThatCantBeCompiledIsAProblemWithItsPlace) {
  auto loaded =
      config::LoadText("apiVersion: outrigger/v1\nkind: Sidecar\nroutes:\n  - {topic: '{data.x'}\n",
                       "test.yaml", [](const char*) { return std::nullopt; });
  Routes::Build(loaded.config, loaded.problems);
  ASSERT_FALSE(loaded.ok());
  EXPECT_NE(loaded.problems.front().text().find("test.yaml:4:"), std::string::npos);
}

}  // namespace
}  // namespace outrigger::publish
