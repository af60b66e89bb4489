// Whether a static member's id (group.instance.id, KIP-345) is in use.
//
// Of two members with one id the one that joins last fences the other, for good: its client is done
// for. Were that one built again at once, the two would take turns for ever, and each turn delivers
// again what was in flight. So the fenced one asks first.
//
// Thread: a side thread; it blocks for two seconds at most.
#pragma once

#include <librdkafka/rdkafka.h>

#include <string>

namespace outrigger::kafka {

// False also where the coordinator does not say.
bool HasInstance(rd_kafka_t* rk, const std::string& group, const std::string& instance_id);

}  // namespace outrigger::kafka
