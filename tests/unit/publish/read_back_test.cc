#include "publish/read_back.h"

#include <gtest/gtest.h>

namespace outrigger::publish {
namespace {

constexpr int64_t kMinute = 60'000;

store::Row AcceptedAt(int64_t accepted_ms, int64_t timestamp_ms = 0) {
  store::Row row;
  row.accepted_ms = accepted_ms;
  row.record.timestamp_ms = timestamp_ms;
  return row;
}

TEST(EarliestSent, IsSomeTimeBeforeTheOldestRow) {
  EXPECT_EQ(EarliestSent({AcceptedAt(10 * kMinute), AcceptedAt(9 * kMinute)}), 7 * kMinute);
}

TEST(EarliestSent, ATimeThatACallerHasChosenCountsWhenItIsEarlier) {
  EXPECT_EQ(EarliestSent({AcceptedAt(9 * kMinute, 5 * kMinute)}), 3 * kMinute);
  EXPECT_EQ(EarliestSent({AcceptedAt(9 * kMinute, 50 * kMinute)}), 7 * kMinute);
}

TEST(EarliestSent, IsATimeOfKafka) { EXPECT_EQ(EarliestSent({AcceptedAt(5, 1)}), 1); }

}  // namespace
}  // namespace outrigger::publish
