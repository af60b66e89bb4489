#include "kafka/commit_result.h"

namespace outrigger::kafka {

CommitRefusal RefusalOf(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
      return CommitRefusal::kNone;
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      return CommitRefusal::kUnauthorized;
    case RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE:
    // All of the commit is one batch of records in __consumer_offsets, which has a limit too.
    case RD_KAFKA_RESP_ERR_INVALID_COMMIT_OFFSET_SIZE:
      return CommitRefusal::kMetadataTooLarge;
    case RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID:
    case RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION:
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
    case RD_KAFKA_RESP_ERR_FENCED_MEMBER_EPOCH:
    case RD_KAFKA_RESP_ERR_STALE_MEMBER_EPOCH:
    case RD_KAFKA_RESP_ERR_INVALID_GROUP_ID:
    case RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST:
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR__FATAL:
    case RD_KAFKA_RESP_ERR__DESTROY:
      return CommitRefusal::kNotMember;
    default:
      return CommitRefusal::kPassing;
  }
}

const char* HintOf(CommitRefusal refusal) {
  switch (refusal) {
    case CommitRefusal::kUnauthorized:
      return "give the user of kafka.security ACLs with READ on the group and on the topic";
    case CommitRefusal::kMetadataTooLarge:
      return "raise offset.metadata.max.bytes on the brokers to its default, 4096";
    default:
      return "";
  }
}

}  // namespace outrigger::kafka
