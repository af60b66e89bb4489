#include "kafka/error_table.h"

namespace outrigger::kafka {

ErrorMeaning MeaningOf(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
      return {Blame::kRecord, Reason::kTooLarge,
              "make the event smaller, or raise the topic's max.message.bytes"};
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
      return {Blame::kRecord, Reason::kInvalid,
              "a compacted topic (cleanup.policy=compact) takes no record without a key"};
    case RD_KAFKA_RESP_ERR_INVALID_MSG:
    case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
      return {Blame::kRecord, Reason::kInvalid, ""};
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
      return {Blame::kTopic, Reason::kUnauthorized,
              "give the user of kafka.security an ACL with WRITE and DESCRIBE on the topic"};
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
      return {Blame::kTopic, Reason::kUnauthorized,
              "give the user of kafka.security an ACL with WRITE on the topics it publishes to, or "
              "IDEMPOTENT_WRITE on the cluster"};
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
      return {Blame::kTopic, Reason::kUnknownTopic, "the topic's name is not legal"};
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT:
      return {Blame::kTopic, Reason::kBroker, ""};
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
      return {Blame::kRouting, Reason::kUnknownTopic,
              "create the topic, or let the broker do so (auto.create.topics.enable)"};
    case RD_KAFKA_RESP_ERR__FATAL:
    case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
    case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
    case RD_KAFKA_RESP_ERR__DESTROY:
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER:
    case RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
      return {Blame::kHandle, Reason::kBroker, ""};
    default:
      return {Blame::kPassing, Reason::kBroker, ""};
  }
}

Refusal ToRefusal(rd_kafka_resp_err_t error, const std::string& topic) {
  const ErrorMeaning meaning = MeaningOf(error);
  Refusal refusal;
  refusal.reason = meaning.reason;
  refusal.error.code = meaning.reason == Reason::kTooLarge       ? base::Code::kTooLarge
                       : meaning.reason == Reason::kUnauthorized ? base::Code::kUnauthorized
                       : meaning.reason == Reason::kInvalid      ? base::Code::kInvalid
                                                                 : base::Code::kUnavailable;
  refusal.error.message = "Kafka refused the event for " + topic + ": " + rd_kafka_err2str(error) +
                          " (" + rd_kafka_err2name(error) + ")";
  refusal.error.hint = meaning.hint;
  refusal.error.retryable = meaning.blame != Blame::kRecord;
  return refusal;
}

Refusal ClientRefusal(rd_kafka_resp_err_t error, const std::string& text) {
  const ErrorMeaning meaning = MeaningOf(error);
  const bool denied = meaning.reason == Reason::kUnauthorized;
  Refusal refusal;
  refusal.reason = denied ? Reason::kUnauthorized : Reason::kBroker;
  refusal.error.code = denied ? base::Code::kUnauthorized : base::Code::kUnavailable;
  refusal.error.message = std::string("the Kafka cluster lets this client publish nothing: ") +
                          text + " (" + rd_kafka_err2name(error) + ")";
  refusal.error.hint = denied ? meaning.hint : "a new client is tried every 30 s or sooner";
  refusal.error.retryable = true;
  return refusal;
}

std::optional<Trouble> TroubleOf(rd_kafka_resp_err_t error, bool of_partition) {
  if (error == RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED) return Trouble::kGroup;
  // librdkafka's own: about its connections.
  if (error < RD_KAFKA_RESP_ERR_NO_ERROR) return std::nullopt;
  if (of_partition) return Trouble::kFetchRefused;
  switch (error) {
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
      return Trouble::kTopicMissing;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
      return Trouble::kTopicRefused;
    default:
      return Trouble::kGroup;
  }
}

const char* ConsumerHintOf(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
      return "give the user of kafka.security an ACL with READ and DESCRIBE on the topic";
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
      return "give the user of kafka.security an ACL with READ on the group";
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
      return "create the topic; it is looked for again every 10 s";
    case RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED:
      return "the process was stopped for longer than max.poll.interval.ms; the group is joined "
             "again";
    default:
      return "";
  }
}

}  // namespace outrigger::kafka
