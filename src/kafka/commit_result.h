// What became of one partition's offset commit, and what its refusal means.
//
// Pure. A commit carries many partitions, and the coordinator answers for each of them by itself.
// Sources: Kafka protocol guide, "Error codes"; ConsumerCoordinator.java,
// OffsetCommitResponseHandler.
#pragma once

#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <string>

#include "kafka/consumer_handle.h"

namespace outrigger::kafka {

enum class CommitRefusal {
  kNone,
  kPassing,           // the coordinator is away, loading, or sharing partitions out: again later
  kUnauthorized,      // the user may not commit to this group, or not for this topic
  kMetadataTooLarge,  // the broker's offset.metadata.max.bytes, or its limit for all of the commit
  kNotMember,         // the partition is somebody else's, or is about to be; its revocation follows
};

CommitRefusal RefusalOf(rd_kafka_resp_err_t error);
// What a person can do about it; may be empty.
const char* HintOf(CommitRefusal refusal);

struct CommitResult {
  TopicPartition at;
  uint64_t epoch = 0;
  CommitRefusal refusal = CommitRefusal::kNone;
  std::string why;  // of a refusal

  bool taken() const { return refusal == CommitRefusal::kNone; }
};

}  // namespace outrigger::kafka
