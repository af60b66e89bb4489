#include "kafka/error_table.h"

#include <gtest/gtest.h>

namespace outrigger::kafka {
namespace {

TEST(ErrorTable, OnlyWhatBlamesTheRecordIsHeldAgainstIt) {
  EXPECT_EQ(MeaningOf(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE).blame, Blame::kRecord);
  EXPECT_EQ(MeaningOf(RD_KAFKA_RESP_ERR_INVALID_RECORD).blame, Blame::kRecord);
  EXPECT_EQ(MeaningOf(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED).blame, Blame::kTopic);
  EXPECT_EQ(MeaningOf(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART).blame, Blame::kRouting);
  EXPECT_EQ(MeaningOf(RD_KAFKA_RESP_ERR__FATAL).blame, Blame::kHandle);
  EXPECT_EQ(MeaningOf(RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS).blame, Blame::kPassing);
  EXPECT_EQ(MeaningOf(RD_KAFKA_RESP_ERR__TRANSPORT).blame, Blame::kPassing);
}

TEST(ErrorTable, WhatNobodyKnowsIsTakenAsPassingSoThatNothingIsGivenUp) {
  EXPECT_EQ(MeaningOf(static_cast<rd_kafka_resp_err_t>(9999)).blame, Blame::kPassing);
}

TEST(ErrorTable, ARefusalNamesTopicAndErrorAndSaysWhatToDo) {
  const Refusal refusal = ToRefusal(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, "user.events");
  EXPECT_EQ(refusal.reason, Reason::kUnauthorized);
  EXPECT_NE(refusal.error.message.find("user.events"), std::string::npos);
  EXPECT_FALSE(refusal.error.hint.empty());
  EXPECT_FALSE(refusal.possibly_stored);
}

TEST(ErrorTable, AConsumersErrorBlamesPartitionTopicOrGroup) {
  EXPECT_EQ(TroubleOf(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, true), Trouble::kFetchRefused);
  EXPECT_EQ(TroubleOf(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, false), Trouble::kTopicRefused);
  EXPECT_EQ(TroubleOf(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, false), Trouble::kTopicMissing);
  EXPECT_EQ(TroubleOf(RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, false), Trouble::kGroup);
  EXPECT_EQ(TroubleOf(RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED, false), Trouble::kGroup);
}

TEST(ErrorTable, AnErrorOfAConnectionIsNoTroubleOfAConsumer) {
  EXPECT_EQ(TroubleOf(RD_KAFKA_RESP_ERR__TRANSPORT, false), std::nullopt);
  EXPECT_EQ(TroubleOf(RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, false), std::nullopt);
}

}  // namespace
}  // namespace outrigger::kafka
