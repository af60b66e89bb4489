#include "event/json_tree.h"

#include <gtest/gtest.h>

#include "event/json_number.h"

namespace outrigger::event {
namespace {

int Compare(const char* a, const char* b) {
  const auto left = JsonTree::Parse(a);
  const auto right = JsonTree::Parse(b);
  const int order = left->root().Compare(right->root());
  EXPECT_EQ(order<0, right->root().Compare(left->root())> 0) << a << " " << b;
  if (order == 0) {
    EXPECT_EQ(left->root().Hash(), right->root().Hash()) << a << " " << b;
  }
  return order;
}

TEST(JsonTreeTest, HasEveryValueAtItsPlace) {
  const std::string text =
      R"( {"b" : [1, -2.50e+3 ,true,null,"x\u00e9\"y"], "a":{}, "\u0063": [] ,"":"" } )";
  const auto tree = JsonTree::Parse(text);
  ASSERT_TRUE(tree);
  const JsonNode root = tree->root();
  EXPECT_EQ(root.kind(), JsonKind::kObject);
  EXPECT_EQ(root.size(), 4U);
  const JsonNode b = *root.Find("b");
  EXPECT_EQ(b.text(), R"([1, -2.50e+3 ,true,null,"x\u00e9\"y"])");
  ASSERT_EQ(b.size(), 5U);
  EXPECT_EQ(b[1].text(), "-2.50e+3");
  EXPECT_TRUE(b[2].IsTrue());
  EXPECT_EQ(b[3].kind(), JsonKind::kNull);
  EXPECT_EQ(b[4].text(), "x\xC3\xA9\"y");
  EXPECT_EQ(root.Find("a")->kind(), JsonKind::kObject);
  EXPECT_EQ(root.Find("c")->kind(), JsonKind::kArray);
  EXPECT_EQ(root.Find("")->text(), "");
  EXPECT_FALSE(root.Find("d"));
  EXPECT_FALSE(b.Find("a"));
  EXPECT_EQ(root[0].Name().kind(), JsonKind::kString);
  EXPECT_EQ(root[1].Name().text(), "a");
}

TEST(JsonTreeTest, FindsARepeatedNameHoweverDeep) {
  EXPECT_TRUE(JsonTree::Parse(R"({"a":{"a":[{"a":1},{"a":2}]},"b":"{\"a\":1}"})"));
  EXPECT_FALSE(JsonTree::Parse(R"({"a":1,"b":2,"a":3})"));
  EXPECT_FALSE(JsonTree::Parse(R"([[{"x":[{"a":1,"\u0061":3}]}]])"));
  EXPECT_FALSE(JsonTree::Parse(R"({"":1,"":2})"));
  EXPECT_TRUE(JsonTree::Parse("1"));
  EXPECT_TRUE(JsonTree::Parse("\"\""));
}

TEST(JsonTreeTest, SkipsAByteOrderMark) {
  const auto tree = JsonTree::Parse("\xEF\xBB\xBF {\"a\":1}");
  ASSERT_TRUE(tree);
  EXPECT_EQ(tree->root().Find("a")->text(), "1");
}

TEST(JsonTreeTest, OrdersValuesAndFindsEqualOnes) {
  EXPECT_EQ(Compare("1", "1.0"), 0);
  EXPECT_EQ(Compare("[1,{\"a\":2,\"b\":3}]", "[1.0,{\"b\":3e0,\"a\":2}]"), 0);
  EXPECT_EQ(Compare("\"\\u0061\"", "\"a\""), 0);
  EXPECT_NE(Compare("\"1\"", "1"), 0);
  EXPECT_NE(Compare("true", "1"), 0);
  EXPECT_NE(Compare("{\"a\":1}", "{\"b\":1}"), 0);
  EXPECT_NE(Compare("[1,2]", "[2,1]"), 0);
  EXPECT_NE(Compare("false", "null"), 0);
  EXPECT_LT(Compare("9", "10"), 0);
  EXPECT_LT(Compare("[1]", "[1,1]"), 0);
}

int Order(const char* a, const char* b) { return JsonNumber(a).Compare(JsonNumber(b)); }

TEST(JsonNumberTest, IsComparedDigitByDigit) {
  for (const auto& [a, b] : {std::pair("-1", "0"),
                             {"-10", "-9.99"},
                             {"0.1", "0.10000000000000000001"},
                             {"9007199254740992", "9007199254740993"},
                             {"9e399", "1e400"},
                             {"-1e400", "-1e399"},
                             {"0.009", "0.01"},
                             {"1e-400", "1e-399"},
                             {"0", "1e-999999999999999999999"}}) {
    EXPECT_LT(Order(a, b), 0) << a << " " << b;
    EXPECT_GT(Order(b, a), 0) << a << " " << b;
  }
  for (const auto& [a, b] : {std::pair("0", "-0.00e7"),
                             {"1", "1.000"},
                             {"100", "1E+2"},
                             {"0.05", "5e-2"},
                             {"12.5", "0.125e2"}}) {
    EXPECT_EQ(Order(a, b), 0) << a << " " << b;
    EXPECT_EQ(JsonNumber(a).Hash(), JsonNumber(b).Hash()) << a << " " << b;
  }
}

TEST(JsonNumberTest, KnowsIntegersAndSizes) {
  for (const char* number : {"0", "-0.0", "1e0", "1.50e1", "1e400", "12345678901234567890123"})
    EXPECT_TRUE(JsonNumber(number).IsInteger()) << number;
  for (const char* number : {"0.5", "1e-1", "15e-1"})
    EXPECT_FALSE(JsonNumber(number).IsInteger()) << number;
  EXPECT_EQ(JsonNumber("2.0").ToSize(), 2U);
  EXPECT_EQ(JsonNumber("12e2").ToSize(), 1200U);
  EXPECT_EQ(JsonNumber("1e400").ToSize(), SIZE_MAX);
  EXPECT_EQ(JsonNumber("0").ToSize(), 0U);
  EXPECT_FALSE(JsonNumber("-1").ToSize());
  EXPECT_FALSE(JsonNumber("0.5").ToSize());
}

TEST(JsonNumberTest, DividesExactly) {
  EXPECT_TRUE(JsonNumber("1e999999999").IsMultipleOf(JsonNumber("7e-3")) == false);
  EXPECT_TRUE(JsonNumber("7e999999999").IsMultipleOf(JsonNumber("7e-3")));
  EXPECT_TRUE(JsonNumber("0").IsMultipleOf(JsonNumber("3")));
  EXPECT_TRUE(JsonNumber("-19.99").IsMultipleOf(JsonNumber("0.01")));
  EXPECT_FALSE(JsonNumber("0.005").IsMultipleOf(JsonNumber("0.01")));
  EXPECT_TRUE(JsonNumber("999999999999999999").IsMultipleOf(JsonNumber("999999999999999999")));
  EXPECT_FALSE(JsonNumber("1234567890123456789").IsDivisor());
  EXPECT_FALSE(JsonNumber("0").IsDivisor());
  EXPECT_FALSE(JsonNumber("-1").IsDivisor());
}

}  // namespace
}  // namespace outrigger::event
