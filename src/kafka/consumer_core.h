// The consumer's inside: what its client tells goes to the part whose matter it is. See consumer.h
// for what it promises.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kafka/consumer.h"
#include "kafka/consumer_client.h"
#include "kafka/consumer_health.h"
#include "kafka/consumer_recovery.h"
#include "kafka/group_membership.h"
#include "kafka/offset_resets.h"
#include "kafka/record_batch.h"
#include "kafka/standstill_watch.h"
#include "kafka/topic_watch.h"
#include "telemetry/log.h"

namespace outrigger::kafka {

class Consumer::Core {
 public:
  Core(base::Loop& loop, ConsumerOptions options, ConsumerHandler handler);
  ~Core() { client_.Stop(); }

  base::Result<void> Open();
  void SetKafka(const config::Kafka& kafka);
  void SetTopics(std::vector<std::string> topics, std::vector<std::string> never);
  void SetPolling(bool polling);
  size_t fetched_bytes() const;
  std::optional<Watermarks> WatermarksOf(const TopicPartition& at) const;
  void Close(std::function<void()> on_closed);

  GroupMembership& membership() { return membership_; }
  CommitRequests& commits() { return commits_; }
  const ConsumerHealth& health() const { return health_; }
  uint64_t rebuilds() const { return recovery_.rebuilds(); }
  rd_kafka_t* client() const { return client_.rk(); }

 private:
  GroupMembership::Events MembershipEvents();
  // There is a client that works, and it is not being closed.
  bool active() const { return recovery_.running() && !membership_.closing(); }

  void OnEvents();
  void OnEvent(rd_kafka_event_t& event);
  void OnRecord(const rd_kafka_message_t& message);
  void OnEnd(const TopicPartition& at, int64_t next);
  void OnReset(const Reset& reset, const Range& range);
  void TellReset(const Reset& reset);
  void Flush();
  void Beat();
  void Ping();
  void EndRefusedFetches();

  void OnError(rd_kafka_resp_err_t error, const std::string& text, const TopicPartition& at,
               int64_t offset);
  void OnFatal(const std::string& why);
  void OnStandstill(const std::string& why);
  void ReplaceClient(const std::string& why);
  void Renew();

  ConsumerOptions options_;
  const ConsumerHandler handler_;
  ConsumerClient client_;
  ConsumerHealth health_;
  HeldPartitions held_;
  CommitRequests commits_;
  OffsetResets resets_;
  TopicIdentities identities_;
  GroupMembership membership_;
  ConsumerRecovery recovery_;
  TopicWatch topics_;
  StandstillWatch standstill_;
  RecordBatch batch_;
  bool polling_ = true;
  bool config_changed_ = false;  // since the client was made
  bool pinging_ = false;
  telemetry::LogLimit error_log_;
  base::Timer beat_;
};

}  // namespace outrigger::kafka
