// Which topic an offset belongs to. A topic that was deleted and created again has the same name
// and other records: an offset of the old one says nothing about the new one.
//
// Brokers from 2.8 on give each topic an id. It is written before the metadata of each committed
// offset, so that over a restart too one knows of which topic the offset is. The cluster's id goes
// along: where offsets are copied to another cluster (MirrorMaker), the ids of topics can't be
// compared. Format: "ot1:", the topic's id, "@", the cluster's id, ";", then what the flow commits.
//
// Thread: Identify blocks for a second at most and is for a side thread; the rest is pure.
#pragma once

#include <librdkafka/rdkafka.h>

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace outrigger::kafka {

struct TopicIdentity {
  std::string topic;    // base64; empty: not known (an older broker)
  std::string cluster;  // as the cluster names itself; empty: not known

  bool known() const { return !topic.empty() && !cluster.empty(); }
};

// Whether both are known, of one cluster, and two topics.
bool Differs(const TopicIdentity& a, const TopicIdentity& b);

struct Identities {
  std::map<std::string, TopicIdentity> known;  // of topics that are there and have an id
  std::set<std::string> missing;               // the cluster says that there is no such topic
};
// It lets no broker create a topic. A question that fails is answered with nothing.
Identities Identify(rd_kafka_t* rk, const std::vector<std::string>& topics);

// The most that Tagged adds.
inline constexpr size_t kIdentityMax = 64;

std::string Tagged(const TopicIdentity& identity, const std::string& metadata);
// What Tagged put together; metadata that was not tagged is of an unknown topic.
std::pair<TopicIdentity, std::string> Untagged(std::string_view committed);

}  // namespace outrigger::kafka
