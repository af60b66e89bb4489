// What is done with a batch when all its records are decided: the gravest of their errors says it,
// for all that are not acknowledged.
//
// Pure. Thread: the loop's.
#pragma once

#include "kafka/error_table.h"
#include "kafka/partition_queue.h"

namespace outrigger::kafka {

struct BatchVerdict {
  enum class Action {
    kNone,           // all were acknowledged
    kSendOneByOne,   // one of several was refused, and which one is not known
    kRefuseRecord,   // the record was alone and is refused for good
    kRefuseBatch,    // the topic takes none of them
    kLookUpTopic,    // the partition is not there any more
    kReplaceClient,  // the client is of no use any more
    kSendLater,      // the error will pass
  };
  Action action = Action::kNone;
  Topic* topic = nullptr;                                  // null when all were acknowledged
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;  // the gravest
  bool has_refused = false;  // a record was refused for itself, whatever the gravest error
  bool too_large = false;    // one was refused for its size
  bool key_missing = false;  // the record with the gravest error was refused for want of a key
  size_t records = 0;        // of the batch
  size_t bytes = 0;          // of those that are not acknowledged

  // The only refusal that is believed of a client that has given up.
  bool refused_alone() const { return has_refused && records == 1; }
};

BatchVerdict VerdictOf(const PartitionQueue& queue);

}  // namespace outrigger::kafka
