#include "publish/sequence.h"

#include <gtest/gtest.h>

namespace outrigger::publish {
namespace {

event::Record RecordOf(const std::string& topic, std::optional<std::string> key) {
  event::Record record;
  record.topic = topic;
  record.key = std::move(key);
  return record;
}

TEST(Sequence, AFailureStopsItsOwnTopicAndKey) {
  Sequence sequence;
  sequence.Stop(RecordOf("t", "k"));
  EXPECT_TRUE(sequence.Stopped(RecordOf("t", "k")));
  EXPECT_FALSE(sequence.Stopped(RecordOf("t", "other")));
  EXPECT_FALSE(sequence.Stopped(RecordOf("other", "k")));
}

TEST(Sequence, RecordsWithoutAKeyHaveNoOrderToKeep) {
  Sequence sequence;
  sequence.Stop(RecordOf("t", std::nullopt));
  EXPECT_FALSE(sequence.Stopped(RecordOf("t", std::nullopt)));
  sequence.Stop(RecordOf("t", "k"));
  EXPECT_FALSE(sequence.Stopped(RecordOf("t", std::nullopt)));
}

TEST(Sequence, WhereMoreKeysFailedThanAreRememberedEveryKeyIsStopped) {
  Sequence sequence;
  for (size_t i = 0; i < Sequence::kMaxStopped; ++i)
    sequence.Stop(RecordOf("t", "key-" + std::to_string(i)));
  EXPECT_TRUE(sequence.Stopped(RecordOf("t", "key-0")));
  EXPECT_FALSE(sequence.Stopped(RecordOf("t", "never failed")));
  sequence.Stop(RecordOf("t", "one more"));
  EXPECT_TRUE(sequence.Stopped(RecordOf("t", "never failed")));
  EXPECT_FALSE(sequence.Stopped(RecordOf("t", std::nullopt)));
}

}  // namespace
}  // namespace outrigger::publish
