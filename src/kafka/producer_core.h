// The producer's inside. See producer.h for what it promises; this is how.
//
// A record's way: Produce → its topic's `unplaced` until the partition count is known → its
// partition's queue → a batch in librdkafka's hands → report. Queues that have something to hand
// over are served once at the end of the loop's turn, so that what arrives together goes together;
// a lone record waits for nothing but that.
//
// librdkafka may cut a batch that we hand over record by record into two requests. Were the first
// refused for one bad record and the second accepted, records of one key could change places. So
// the handle gives up when a record with others behind it is refused (Handle::Tag), and a new one
// sends them one by one. That is costly and therefore rare: a batch is kept below what the topic
// takes (max.message.bytes, asked of the broker and learned from refusals), a record that may be
// too large goes alone, and records without a key are not sent to compacted topics. What remains is
// a topic whose config was changed in the last half minute, or is hidden from us.
//
// A broker that knows nothing of a client takes any sequence number as its first. Were the first of
// two requests refused because the partition is only being made, and the second accepted,
// librdkafka would take the second's ack for the first's too. So the first record of a partition
// goes alone until it is acked, with each new handle again; and a success without an offset, which
// is how such a guess looks (rd_kafka_dr_implicit_ack), is no ack: what it speaks of is sent again.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/wakeup.h"
#include "kafka/lookup.h"
#include "kafka/partition_queue.h"
#include "kafka/producer.h"
#include "telemetry/log.h"

namespace outrigger::kafka {

struct Topic {
  std::string name;
  std::vector<std::unique_ptr<PartitionQueue>> partitions;
  // The partitions are known and serve. While not, all that comes waits in `unplaced`, and what
  // librdkafka still holds of old partitions decides itself and joins it, in order of Produce.
  // While placed, only what names a partition that is not there (yet) waits so.
  bool placed = false;
  std::deque<Entry*> unplaced;
  bool asking = false;            // a lookup is under way
  base::TimePoint unknown_since;  // of a topic that a reachable cluster does not have
  bool unknown = false;
  base::TimePoint looked_up;
  bool used = false;             // since the last lookup
  base::TimePoint idle_since;    // to a second or so
  std::vector<bool> led;         // by partition: the last lookup knew a leader
  std::string refusal;           // why it takes nothing, with what to do; "" while it does
  base::Timer again;             // the next lookup of a topic that is not there yet
  size_t limit = kAssumedLimit;  // max.message.bytes
  bool limit_known = false;      // the broker said so
  bool compacted = false;        // cleanup.policy: takes no record without a key
  bool config_known = false;     // of those two the broker said something, if only that it won't
  base::TimePoint config_asked;
  size_t records = 0;  // accepted, not reported
  size_t memory = 0;
  size_t sticky = 0;  // where records without a key go until the batch is handed over

  // Kafka's own default of message.max.bytes.
  static constexpr size_t kAssumedLimit = 1'048'588;
};

class Producer::Core {
 public:
  Core(base::Loop& loop, ProducerOptions options);
  ~Core();

  base::Result<void> Open();
  std::optional<Refusal> Admit(const event::Record& record) const;
  void Produce(event::Record record, OnReport on_report);
  void Close(std::chrono::milliseconds budget, std::function<void()> on_done);

  base::Loop& loop_;
  ProducerOptions options_;
  Connection connection_;
  std::unordered_map<std::string, std::unique_ptr<Topic>> topics_;
  std::function<void(const Connection&)> on_change_;
  std::shared_ptr<Handle> handle_;
  size_t records_ = 0;
  size_t memory_ = 0;
  uint64_t rebuilds_ = 0;

 private:
  // producer.cc: placing and handing over
  void Listen();
  Topic& TopicFor(const std::string& name);
  std::optional<Refusal> Unfit(const Topic& topic, const Entry& entry) const;
  void Place(Topic& topic, Entry* entry, bool looked_up);
  void Enqueue(PartitionQueue& queue, Entry* entry);
  void HandOver(PartitionQueue& queue);
  rd_kafka_resp_err_t Give(Entry& entry);
  void MarkDirty(PartitionQueue& queue);
  void ServeDirty();
  void ServeAll();
  void ReportLater(Entry* entry, Refusal refusal);
  void Refuse(Entry* entry, Refusal refusal);
  void Report(Entry* entry, const kafka::Report& report);
  std::vector<Entry*> TakeAll();

  // producer_reports.cc: what librdkafka tells
  void OnEvents();
  void OnDelivery(const rd_kafka_message_t& message);
  void OnAcked(Topic& topic, PartitionQueue& queue);
  void OnDecided(Topic& topic, PartitionQueue& queue);
  void Judge(PartitionQueue& queue);
  void RefuseFirst(PartitionQueue& queue, size_t count, const Refusal& refusal);
  void OnError(rd_kafka_resp_err_t error, const std::string& text);

  // producer_rebuild.cc: a new handle for one that is of no use any more
  void OnFatal(const Handle::Fatal& why);
  void RebuildAfter(base::Duration wait, std::string why);
  void RebuildWhenDecided();
  void Rebuild();
  void RefuseAll(const Refusal& refusal);
  void LookForStalls();

  // producer_topics.cc: what is known of topics and of the cluster
  void Ask(Topic& topic);
  void AskAgainIn(Topic& topic, base::Duration delay);
  void OnAnswer(const Lookup::Answer& answer);
  void OnPartitions(Topic& topic, const Lookup::Answer& answer);
  void OnUnknown(Topic& topic, rd_kafka_resp_err_t error);
  void RefuseUnplaced(Topic& topic, const Refusal& refusal);
  void Unplace(Topic& topic);
  void GatherLater(Topic& topic);
  void Gather(Topic& topic);
  void AskConfig(Topic& topic);
  void OnConfig(rd_kafka_event_t& event);
  void Beat();
  void SetConnected(bool connected);
  void ShowRefusals();
  void ForgetIdle();

  BatchLimits LimitsOf(const Topic& topic) const;

  std::vector<PartitionQueue*> dirty_;
  bool serving_ = false;  // ServeDirty is posted
  uint64_t last_order_ = 0;
  std::vector<std::pair<Entry*, Refusal>> refused_;  // to be reported with the next ServeDirty
  bool compressing_ = false;

  std::unique_ptr<Lookup> lookup_;
  std::optional<base::Wakeup> wakeup_;
  base::Timer beat_;
  bool pinging_ = false;
  base::TimePoint heard_;  // the last sign of life from a broker
  base::Timer serve_again_;
  size_t not_placed_ = 0;  // of topics_

  bool fatal_ = false;             // the handle is to be replaced
  int failures_ = 0;               // fatal errors since the last ack
  std::optional<Refusal> denied_;  // what all gets while Kafka lets this client produce nothing
  std::string fatal_text_;         // for people, until the new handle works
  base::TimePoint rebuilt_at_;
  const int jitter_ = static_cast<int>(std::random_device{}() % 64);  // 256ths of the patience
  base::Timer rebuild_;
  std::string rebuild_why_;
  telemetry::LogLimit refusal_log_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);

  bool closing_ = false;
  base::Timer close_timer_;
  std::function<void()> on_closed_;
};

}  // namespace outrigger::kafka
