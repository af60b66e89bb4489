// The producer's inside. See producer.h for what it promises; this is how.
//
// A record's way: Produce → its topic's waiting records until the partitions are known → its
// partition's queue → a batch in librdkafka's hands → report. Queues that have something to send
// are served once at the end of the loop's turn, so that what arrives together goes together; a
// lone record waits for nothing but that.
//
// librdkafka may cut a batch that it gets record by record into two requests. Were the first
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

#include <memory>
#include <optional>
#include <string>

#include "base/wakeup.h"
#include "kafka/batch_sender.h"
#include "kafka/broker_health.h"
#include "kafka/client_recovery.h"
#include "kafka/delivery_reports.h"
#include "kafka/end_of_turn.h"
#include "kafka/producer.h"
#include "kafka/stall_watch.h"
#include "kafka/topic_finder.h"
#include "kafka/topic_table.h"
#include "telemetry/log.h"

namespace outrigger::kafka {

struct BatchVerdict;

class Producer::Core {
 public:
  Core(base::Loop& loop, ProducerOptions options);
  ~Core();

  base::Result<void> Open();
  std::optional<Refusal> Admit(const event::Record& record) const;
  const Entry* Produce(event::Record record, OnReport on_report);
  void SetKafka(const config::Kafka& kafka);
  void Close(std::chrono::milliseconds budget, std::function<void()> on_done);

  BrokerHealth& brokers() { return brokers_; }
  TopicTable& topics() { return topics_; }
  uint64_t rebuilds() const { return recovery_.rebuilds(); }
  rd_kafka_t* client() const { return handle_->rk(); }

 private:
  void Use(std::shared_ptr<Handle> handle);
  void Beat();
  void ShowRefusals();

  // From the topic to the client.
  void PlaceWaiting(Topic& topic);
  void Place(Topic& topic, Entry* entry, bool looked_up);
  void Unplace(Topic& topic);
  void GatherLater(Topic& topic);
  void Gather(Topic& topic);

  // From the client to the report.
  void OnEvents();
  void OnDelivery(const rd_kafka_message_t& message);
  static void TellBeginning(const Topic& topic, const rd_kafka_message_t& message);
  void OnAcked(Topic& topic, PartitionQueue& queue);
  void OnDecided(Topic& topic, PartitionQueue& queue);
  void Judge(PartitionQueue& queue);
  void Apply(const BatchVerdict& verdict, PartitionQueue& queue, size_t left);
  void OnError(rd_kafka_resp_err_t error, const std::string& text);
  void RefuseFirst(PartitionQueue& queue, size_t count, const Refusal& refusal);
  void GiveUp();

  // A new client for one that has failed or hangs.
  void OnFatal(const Handle::Fatal& why);
  void RebuildWhenDecided();
  void Rebuild();
  void LookForStalls();

  base::Loop& loop_;
  ProducerOptions options_;
  bool compressing_;
  BrokerHealth brokers_;
  TopicTable topics_;
  EndOfTurn end_of_turn_;
  ClientRecovery recovery_;
  BatchSender sender_;
  DeliveryReports reports_;
  const StallWatch stalls_;
  telemetry::LogLimit refusal_log_;
  std::optional<base::Wakeup> wakeup_;  // outlives the handles
  std::shared_ptr<Handle> handle_;
  std::optional<TopicFinder> finder_;
  base::Timer beat_;
  base::LoopCalls calls_;
};

}  // namespace outrigger::kafka
