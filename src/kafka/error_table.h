// What librdkafka's error codes mean here: whom they blame, whether a retry can help, and what a
// person can do.
//
// Pure. Source: rdkafka.h (rd_kafka_resp_err_t); Kafka protocol guide, "Error codes".
#pragma once

#include <librdkafka/rdkafka.h>

#include <optional>
#include <string>

#include "kafka/producer.h"
#include "kafka/troubles.h"

namespace outrigger::kafka {

// Whom a failed delivery blames, which decides what is done with the records beside it. In order of
// gravity: a batch is dealt with by the gravest error in it.
enum class Blame {
  kPassing,  // the moment: sent again later
  kRecord,   // one record of the batch: each is sent again alone
  kTopic,    // the topic as it is: refused, all of them
  kRouting,  // the partition's place changed: the topic is looked up again
  kHandle,   // the producer handle is done for: it is replaced
};

struct ErrorMeaning {
  Blame blame;
  Reason reason;
  const char* hint;
};

ErrorMeaning MeaningOf(rd_kafka_resp_err_t error);

// A refusal of `topic`'s record with the error's text and hint.
Refusal ToRefusal(rd_kafka_resp_err_t error, const std::string& topic);

// What any record gets from a client that fails with `error`, which librdkafka tells as `text`.
Refusal ClientRefusal(rd_kafka_resp_err_t error, const std::string& text);

// Why a consumer gets no records when its client tells of `error`; nullopt: only whether a broker
// answers can say.
std::optional<Trouble> TroubleOf(rd_kafka_resp_err_t error, bool of_partition);
// What a person can do about it; may be empty.
const char* ConsumerHintOf(rd_kafka_resp_err_t error);

}  // namespace outrigger::kafka
