// Gives one record to librdkafka.
//
// Thread: the loop's. Source: rdkafka.h (rd_kafka_produceva).
#pragma once

#include "kafka/handle.h"
#include "kafka/partition_queue.h"

namespace outrigger::kafka {

// Of a record that is in its queue's batch. On success its delivery report comes as an event of the
// handle's queue, with Handle::Tag of the entry; on an error none does. A handle that has given up
// answers RD_KAFKA_RESP_ERR__FATAL.
rd_kafka_resp_err_t GiveToClient(Handle& handle, Entry& entry);

}  // namespace outrigger::kafka
