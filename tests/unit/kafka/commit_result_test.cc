#include "kafka/commit_result.h"

#include <gtest/gtest.h>

namespace outrigger::kafka {
namespace {

TEST(CommitResult, EachClassOfRefusalIsToldApart) {
  EXPECT_EQ(RefusalOf(RD_KAFKA_RESP_ERR_NO_ERROR), CommitRefusal::kNone);
  for (const auto error :
       {RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED})
    EXPECT_EQ(RefusalOf(error), CommitRefusal::kUnauthorized);
  for (const auto error :
       {RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE, RD_KAFKA_RESP_ERR_INVALID_COMMIT_OFFSET_SIZE})
    EXPECT_EQ(RefusalOf(error), CommitRefusal::kMetadataTooLarge);
  for (const auto error :
       {RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION,
        RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, RD_KAFKA_RESP_ERR_STALE_MEMBER_EPOCH,
        RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST})
    EXPECT_EQ(RefusalOf(error), CommitRefusal::kNotMember);
  for (const auto error :
       {RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
        RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
        RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
        RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__TIMED_OUT})
    EXPECT_EQ(RefusalOf(error), CommitRefusal::kPassing);
}

TEST(CommitResult, WhatNobodyKnowsIsTakenAsPassingSoThatItIsCommittedAgain) {
  EXPECT_EQ(RefusalOf(static_cast<rd_kafka_resp_err_t>(9999)), CommitRefusal::kPassing);
}

TEST(CommitResult, ARefusalThatAPersonCanEndHasAHint) {
  EXPECT_NE(std::string(HintOf(CommitRefusal::kUnauthorized)).find("READ"), std::string::npos);
  EXPECT_NE(std::string(HintOf(CommitRefusal::kMetadataTooLarge)).find("offset.metadata.max.bytes"),
            std::string::npos);
  EXPECT_TRUE(std::string(HintOf(CommitRefusal::kPassing)).empty());
}

}  // namespace
}  // namespace outrigger::kafka
