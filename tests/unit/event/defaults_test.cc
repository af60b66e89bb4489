#include "event/defaults.h"

#include <gtest/gtest.h>

namespace outrigger::event {
namespace {

std::string Stamped(std::string data, const std::vector<std::pair<JsonPath, std::string>>& values) {
  auto stamped = StampDefaults(std::move(data), values);
  EXPECT_TRUE(stamped.has_value());
  return stamped ? *stamped : std::string();
}

TEST(Defaults, AddWhatIsAbsentAtTheEndAndLeaveTheRestByteForByte) {
  EXPECT_EQ(Stamped(" { \"b\" : 1.0 , \"a\" : \"\\u00e9\" } ", {{{"c"}, "\"x\""}}),
            " { \"b\" : 1.0 , \"a\" : \"\\u00e9\" ,\"c\":\"x\"} ");
  EXPECT_EQ(Stamped("{}", {{{"a"}, "1"}}), "{\"a\":1}");
  EXPECT_EQ(Stamped("{ }", {{{"a"}, "1"}, {{"b"}, "{}"}}), "{ \"a\":1,\"b\":{}}");
}

TEST(Defaults, WriteTheirNamesAsJsonStrings) {
  JsonReader json;
  for (const std::string name :
       {"a\"b", "a\\b", "a\nb", "\"", "\\", "{", "caf\xC3\xA9", "\x01", "a b"}) {
    const std::string data = Stamped(R"({"o":{}})", {{{name}, "1"}, {{"o", name}, "2"}});
    const auto members = json.Members(data);
    ASSERT_TRUE(members.has_value()) << data << ": " << members.error().message;
    EXPECT_EQ(members->back().name, name);
    EXPECT_EQ(Stamped(data, {{{name}, "3"}, {{"o", name}, "4"}}), data) << "it is there now";
  }
}

TEST(Defaults, NeverReplaceWhatIsThereNotEvenNull) {
  for (const char* data : {"{\"a\":2}", "{\"a\":null}", "{\"\\u0061\":\"\"}", "{\"a\":{}}"})
    EXPECT_EQ(Stamped(data, {{{"a"}, "1"}}), data);
}

TEST(Defaults, GoIntoTheObjectThatTheirPathNames) {
  EXPECT_EQ(Stamped(R"({"a":{"b":{}},"c":1})", {{{"a", "b", "x"}, "1"}, {{"a", "y"}, "2"}}),
            R"({"a":{"b":{"x":1},"y":2},"c":1})");
}

TEST(Defaults, AddNothingWhereTheObjectIsNotThere) {
  for (const char* data :
       {R"({})", R"({"a":1})", R"({"a":null})", R"({"a":"{"})", R"({"a":"{\"b\":{}}"})",
        R"({"a":[{"b":{}}]})", R"({"a":[]})", R"({"a":{"b":[{}]}})", R"({"a":{"b":"{"}})"})
    EXPECT_EQ(Stamped(data, {{{"a", "b", "c"}, "1"}}), data);
}

TEST(Defaults, DataThatIsNoObjectStaysAsItIs) {
  for (const char* data : {"[]", "[{\"a\":{}}]", "1", "null", "\"{\"", "\"{\\\"a\\\":{}}\""}) {
    EXPECT_EQ(Stamped(data, {{{"x"}, "1"}}), data);
    EXPECT_EQ(Stamped(data, {{{"a", "b"}, "1"}}), data);
  }
}

TEST(Defaults, ARepeatedNameWhereTheyReadIsAnError) {
  EXPECT_FALSE(StampDefaults(R"({"a":1,"a":2})", {{{"a"}, "1"}}).has_value());
  EXPECT_FALSE(StampDefaults(R"({"a":{},"a":{}})", {{{"a", "b"}, "1"}}).has_value());
  EXPECT_EQ(Stamped(R"({"z":1,"z":2})", {{{"a"}, "1"}}), R"({"z":1,"z":2,"a":1})");
}

}  // namespace
}  // namespace outrigger::event
