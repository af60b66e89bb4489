#include "publish/order_gate.h"

#include <gtest/gtest.h>

namespace outrigger::publish {
namespace {

event::Record Keyed(const std::string& topic, const std::string& key) {
  event::Record record;
  record.topic = topic;
  record.key = key;
  return record;
}

TEST(OrderGate, ARecordFollowsTheEarlierOnesOfItsKeyAndNoOthers) {
  OrderGate gate;
  gate.Add(Keyed("t", "a"));
  gate.Add(Keyed("t", "a"));
  EXPECT_TRUE(gate.Holds(Keyed("t", "a")));
  EXPECT_FALSE(gate.Holds(Keyed("t", "b")));
  EXPECT_FALSE(gate.Holds(Keyed("u", "a")));
  gate.Remove(Keyed("t", "a"));
  EXPECT_TRUE(gate.Holds(Keyed("t", "a")));
  gate.Remove(Keyed("t", "a"));
  EXPECT_FALSE(gate.Holds(Keyed("t", "a")));
}

TEST(OrderGate, ARecordWithoutAKeyFollowsNothing) {
  OrderGate gate;
  event::Record keyless;
  keyless.topic = "t";
  gate.Add(keyless);
  EXPECT_FALSE(gate.Holds(keyless));
  gate.Remove(keyless);
  gate.AddUnread("t", 1);
  EXPECT_FALSE(gate.Holds(keyless));
}

TEST(OrderGate, WhereRecordsWereNotReadEveryKeyOfTheTopicFollowsThem) {
  OrderGate gate;
  gate.AddUnread("t", 2);
  EXPECT_TRUE(gate.Holds(Keyed("t", "any")));
  EXPECT_FALSE(gate.Holds(Keyed("u", "any")));
  gate.RemoveUnread("t");
  EXPECT_TRUE(gate.Holds(Keyed("t", "any")));
  gate.RemoveUnread("t");
  EXPECT_FALSE(gate.Holds(Keyed("t", "any")));
}

TEST(OrderGate, HoldsNothingOnceItIsCleared) {
  OrderGate gate;
  gate.Add(Keyed("t", "a"));
  gate.AddUnread("u", 3);
  gate.Clear();
  EXPECT_FALSE(gate.Holds(Keyed("t", "a")));
  EXPECT_FALSE(gate.Holds(Keyed("u", "a")));
}

}  // namespace
}  // namespace outrigger::publish
