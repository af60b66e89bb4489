#include "kafka/batch_verdict.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "kafka/producer_topic.h"

namespace outrigger::kafka {
namespace {

using Action = BatchVerdict::Action;

class BatchVerdictTest : public testing::Test {
 protected:
  // The batch's records with these errors, of 100 bytes each.
  BatchVerdict Of(const std::vector<rd_kafka_resp_err_t>& errors) {
    queue_.batch.clear();
    entries_.clear();
    for (const rd_kafka_resp_err_t error : errors) {
      auto& entry = entries_.emplace_back(std::make_unique<Entry>());
      entry->topic = &topic_;
      entry->bytes = 100;
      entry->error = error;
      if (with_key_) entry->record.key = "key";
      queue_.batch.push_back(entry.get());
    }
    return VerdictOf(queue_);
  }

  Topic topic_{"orders", {}};
  PartitionQueue queue_;
  std::vector<std::unique_ptr<Entry>> entries_;
  bool with_key_ = true;
};

TEST_F(BatchVerdictTest, OfABatchThatWasAcknowledgedNothingIsLeftToDo) {
  queue_.batch = {nullptr, nullptr};
  const BatchVerdict verdict = VerdictOf(queue_);
  EXPECT_EQ(verdict.action, Action::kNone);
  EXPECT_EQ(verdict.topic, nullptr);
}

TEST_F(BatchVerdictTest, ARecordIsRefusedOnlyWhenItWasAlone) {
  const auto alone = Of({RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE});
  EXPECT_EQ(alone.action, Action::kRefuseRecord);
  EXPECT_TRUE(alone.refused_alone());
  const auto of_two =
      Of({RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE});
  EXPECT_EQ(of_two.action, Action::kSendOneByOne);
  EXPECT_FALSE(of_two.refused_alone());
}

TEST_F(BatchVerdictTest, ARecordWhoseCompanionWasAcknowledgedWasNotAlone) {
  Of({RD_KAFKA_RESP_ERR_NO_ERROR, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE});
  queue_.batch[0] = nullptr;
  EXPECT_EQ(VerdictOf(queue_).action, Action::kSendOneByOne);
}

TEST_F(BatchVerdictTest, TheGravestErrorDecidesForAll) {
  const auto refused_and_lost_client =
      Of({RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR__FATAL});
  EXPECT_EQ(refused_and_lost_client.action, Action::kReplaceClient);
  EXPECT_EQ(refused_and_lost_client.error, RD_KAFKA_RESP_ERR__FATAL);
  EXPECT_TRUE(refused_and_lost_client.has_refused) << "and must still be sent one by one";
  EXPECT_EQ(
      Of({RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR__MSG_TIMED_OUT}).action,
      Action::kRefuseBatch);
  EXPECT_EQ(
      Of({RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED}).action,
      Action::kLookUpTopic);
}

TEST_F(BatchVerdictTest, APassingErrorIsSentAgainLater) {
  EXPECT_EQ(Of({RD_KAFKA_RESP_ERR__MSG_TIMED_OUT}).action, Action::kSendLater);
}

TEST_F(BatchVerdictTest, TheBytesAreThoseOfWhatIsNotAcknowledged) {
  Of({RD_KAFKA_RESP_ERR_NO_ERROR, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
      RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE});
  queue_.batch[0] = nullptr;
  const BatchVerdict verdict = VerdictOf(queue_);
  EXPECT_TRUE(verdict.too_large);
  EXPECT_EQ(verdict.bytes, 200u);
  EXPECT_EQ(verdict.records, 3u);
}

TEST_F(BatchVerdictTest, AnInvalidRecordMissesItsKeyOnlyWhenItHasNone) {
  EXPECT_FALSE(Of({RD_KAFKA_RESP_ERR_INVALID_RECORD}).key_missing);
  with_key_ = false;
  EXPECT_TRUE(Of({RD_KAFKA_RESP_ERR_INVALID_RECORD}).key_missing);
  EXPECT_FALSE(Of({RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE}).key_missing);
}

}  // namespace
}  // namespace outrigger::kafka
