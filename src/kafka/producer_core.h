// The producer's inside. See producer.h for what it promises; this is how.
//
// A record's way: Produce → its topic's `unplaced` until the partition count is known → its
// partition's queue → a batch in librdkafka's hands → report. Queues that have something to hand
// over are served once at the end of the loop's turn, so that what arrives together goes together;
// a lone record waits for nothing but that.
//
// librdkafka may cut a batch that we hand over record by record into two requests. Were the first
// refused for one bad record and the second accepted, records of one key could change places. So a
// batch is kept below what the topic takes (max.message.bytes, asked of the broker and learned from
// refusals), and a record that may be too large goes alone: what remains is a topic whose limit was
// lowered in the last half minute, or is hidden from us and was never hit.
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
  bool placed = false;
  std::deque<Entry*> unplaced;
  bool asking = false;            // a lookup is under way
  base::TimePoint unknown_since;  // of a topic that a reachable cluster does not have
  bool unknown = false;
  base::TimePoint looked_up;
  bool used = false;             // since the last lookup
  base::Timer again;             // the next lookup of a topic that is not there yet
  size_t limit = kAssumedLimit;  // max.message.bytes
  bool limit_known = false;      // the broker said so
  size_t records = 0;            // accepted, not reported
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
  std::function<void(const Connection&)> on_change_;
  std::shared_ptr<Handle> handle_;
  size_t records_ = 0;
  size_t memory_ = 0;
  uint64_t rebuilds_ = 0;

 private:
  // producer.cc: placing and handing over
  void Listen();
  Topic& TopicFor(const std::string& name);
  void Place(Topic& topic, Entry* entry);
  void Enqueue(PartitionQueue& queue, Entry* entry);
  void HandOver(PartitionQueue& queue);
  rd_kafka_resp_err_t Give(Entry& entry);
  void MarkDirty(PartitionQueue& queue);
  void ServeDirty();
  void ServeAll();
  void ReportLater(Entry* entry, Refusal refusal);
  void Report(Entry* entry, const kafka::Report& report);

  // producer_reports.cc: what librdkafka tells
  void OnEvents();
  void OnDelivery(const rd_kafka_message_t& message);
  void OnDecided(Topic& topic, PartitionQueue& queue);
  void Judge(PartitionQueue& queue);
  void OnError(rd_kafka_resp_err_t error, const std::string& text);
  void Rebuild(const std::string& why);

  // producer_topics.cc: what is known of topics and of the cluster
  void Ask(Topic& topic);
  void OnAnswer(const Lookup::Answer& answer);
  void OnPartitions(Topic& topic, int count);
  void OnUnknown(Topic& topic, rd_kafka_resp_err_t error);
  void RefuseUnplaced(Topic& topic, const Refusal& refusal);
  void Unplace(Topic& topic);
  void GatherLater(Topic& topic);
  void Gather(Topic& topic);
  void AskLimit(const Topic& topic);
  void OnLimit(rd_kafka_event_t& event);
  void Beat();
  void SetConnected(bool connected);

  BatchLimits LimitsOf(const Topic& topic) const;

  std::unordered_map<std::string, std::unique_ptr<Topic>> topics_;
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
  bool fatal_ = false;
  telemetry::LogLimit refusal_log_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);

  bool closing_ = false;
  base::Timer close_timer_;
  std::function<void()> on_closed_;
};

}  // namespace outrigger::kafka
