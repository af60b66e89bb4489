// One consumer of one group: partitions come and go, records come, offsets are committed when the
// flow says so.
//
// Nothing is committed or stored by itself. Partitions move incrementally (cooperative-sticky); a
// revoked one is released only when the flow has settled it, and polling goes on meanwhile, so
// the membership lives through long waits and through pauses of every partition. (librdkafka holds
// back the records of the other partitions while a revocation waits.) An offset that is out of
// range or of an older topic is named before anything is skipped. After a fatal error the client is
// replaced, and so is one that fetches nothing of what the cluster says is there, or that its
// group does not take in. No broker creates a topic because we ask for it.
//
// Thread: the loop's; every callback comes on it. Blocking questions are asked on a side thread.
// Lifetime: Close before destruction, or the group learns of it only after session.timeout.ms;
// destruction waits for a question under way, a second or two, and no callback comes after it. Of
// the callbacks only `on_closed` may destroy. Sources: librdkafka 2.8 INTRODUCTION.md (consumer
// groups), KIP-429.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/loop.h"
#include "base/result.h"
#include "config/config.h"
#include "event/event.h"
#include "kafka/commit_result.h"
#include "kafka/connection.h"
#include "kafka/consumer_handle.h"
#include "kafka/fetch_bounds.h"
#include "kafka/troubles.h"

namespace outrigger::kafka {

// A partition is ours from here on, under an epoch that no other assignment has.
struct Assigned {
  TopicPartition at;
  uint64_t epoch = 0;
  int64_t position = -1;   // the first offset that will come; -1: not known
  std::string metadata;    // of the committed offset, or empty
  bool committed = false;  // the group has committed `position`; else it is where we begin
};

struct Consumed {
  std::string topic;
  int32_t partition = -1;
  int64_t offset = -1;
  uint64_t epoch = 0;
  int64_t timestamp_ms = -1;  // -1: the record has none
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<event::Header> headers;

  // What it holds in memory beside itself.
  size_t bytes() const {
    return topic.size() + (key ? key->size() : 0) + (value ? value->size() : 0) +
           event::BytesOf(headers);
  }
};

// Why a partition is not read on where it was: the records there were deleted; the log ends below
// or was cut; the topic was deleted, and perhaps created again.
enum class ResetReason { kDeleted, kTruncated, kRecreated };

struct Reset {
  TopicPartition at;
  int64_t from = -1;  // the first offset that has not come
  int64_t to = -1;    // the oldest record that there is; -1: the topic is gone
  ResetReason reason = ResetReason::kDeleted;
  int64_t lost = 0;  // so many offsets are known to have been deleted before they were fetched
};

struct ConsumerOptions {
  config::Kafka kafka;
  std::string group;
  std::vector<std::string> topics;  // names, or regular expressions that start with ^
  config::StartFrom start;          // where a new group begins (starting_points.h)
  std::vector<std::string> never;   // topics that no regular expression takes
  FetchBounds fetch;
};

struct ConsumerHandler {
  std::function<void(std::vector<Assigned>)> on_assigned;  // before their first record
  // No record of these comes any more. Call `settled` (at once, or later) when commits are done; it
  // does nothing the second time. `lost`: they are somebody else's already, and `settled` is not
  // waited for.
  std::function<void(std::vector<TopicPartition>, bool lost, std::function<void()> settled)>
      on_revoked;
  std::function<void(std::vector<Consumed>)> on_records;
  std::function<void(const Connection&)> on_connection;  // it or the troubles have changed
  // Every record below `next` has come, or does not exist (markers of transactions, aborted
  // records, what compaction took): told at the end of a partition.
  std::function<void(const TopicPartition&, uint64_t epoch, int64_t next)> on_end;
  // What came until now stays valid. After kDeleted the assignment goes on at `to`; after the other
  // two it is over without on_revoked, since its offsets mean nothing any more; on_assigned (at
  // `to`) follows when the topic is there.
  std::function<void(const Reset&)> on_reset;
};

class Consumer {
 public:
  // Fails only on a wrong property, secret or topic. Needs no broker.
  static base::Result<std::unique_ptr<Consumer>> Create(base::Loop& loop, ConsumerOptions options,
                                                        ConsumerHandler handler);
  ~Consumer();

  // A pause ends with the assignment. What was fetched and has not come yet is thrown away and
  // fetched again, up to a second after Resume: librdkafka's own way.
  void Pause(const TopicPartition& at);
  void Resume(const TopicPartition& at);

  // Other brokers, credentials or properties: everything is revoked as by a rebalance, and a new
  // client takes over.
  void SetKafka(const config::Kafka& kafka);
  // As ConsumerOptions has them. Partitions of topics that stay are kept, unless `never` changes,
  // which takes a new client.
  void SetTopics(std::vector<std::string> topics, std::vector<std::string> never);

  // False: everything waits in the client's queue, rebalances and the results of commits too; so
  // for less than a second. Close polls again.
  void SetPolling(bool polling);

  struct Offset {
    TopicPartition at;
    uint64_t epoch = 0;
    int64_t next = -1;  // the first offset that is not settled
    std::string metadata;
  };
  // `on_done` comes later, once, with a result for each offset. One of an epoch that is no longer
  // assigned is refused; a revoked partition's is taken until `settled`. One commit of a partition
  // at a time: of two under way the older could win.
  using OnCommitted = std::function<void(const std::vector<CommitResult>&)>;
  void Commit(std::vector<Offset> offsets, OnCommitted on_done);

  // As the last fetch saw them; nothing before that. Of a paused partition `high` is asked for
  // every few seconds.
  struct Watermarks {
    int64_t low = -1;
    int64_t high = -1;
  };
  std::optional<Watermarks> WatermarksOf(const TopicPartition& at) const;

  const Connection& connection() const;
  // The group has shared its partitions out since we joined it: to us as well, or to others only.
  bool joined() const;
  // What keeps it from records beside the connection.
  const Troubles& troubles() const;
  uint64_t rebuilds() const;  // clients made again: after a fatal error, or since nothing came
  // What is fetched and has not come yet: so many records, each taken for as large as those that
  // came last.
  size_t fetched_bytes() const;

  // on_revoked for all, then leaves the group; `on_closed` when it has. Bounded by nothing: destroy
  // the consumer when it takes too long.
  void Close(std::function<void()> on_closed);

  // For tests: the librdkafka handle (rd_kafka_t*).
  void* native_handle() const;

 private:
  class Core;
  explicit Consumer(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

}  // namespace outrigger::kafka
