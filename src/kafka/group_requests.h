// What a consumer's client and its group's coordinator are saying to each other.
//
// A broker answers one connection's requests in their order. An OffsetCommit that follows a
// JoinGroup waits until all members have joined, names a generation that is over by then, and
// librdkafka takes the refusal for the loss of all partitions. And rd_kafka_consumer_close doesn't
// leave the group while it holds no partition: the others would wait for session.timeout.ms. So
// one has to know of these requests; librdkafka tells by its interceptors alone
// (rd_kafka_interceptor_add_on_request_sent).
//
// Thread: Watch before the client is made; the rest from any thread. Must outlive the client.
#pragma once

#include <librdkafka/rdkafka.h>

#include <atomic>
#include <cstdint>

namespace outrigger::kafka {

class GroupRequests {
 public:
  GroupRequests() = default;
  GroupRequests(const GroupRequests&) = delete;
  GroupRequests& operator=(const GroupRequests&) = delete;

  void Watch(rd_kafka_conf_t* conf);

  // A JoinGroup was sent, and the rebalance event that ends it has not been seen (JoinEnded).
  bool joining() const { return joining_; }
  void JoinEnded() { joining_ = false; }
  // A JoinGroup may be sent any moment: a heartbeat's answer, which may ask for one, is awaited or
  // has just come.
  bool MayJoin() const;
  // A JoinGroup is not answered yet: the other members have not all come, which may take as long as
  // their max.poll.interval.ms.
  bool JoinAwaited() const;
  bool ever_joined() const { return ever_joined_; }
  bool left() const { return left_; }  // LeaveGroup was answered

  void OnSent(int16_t api_key);
  void OnAnswered(int16_t api_key);

 private:
  std::atomic<bool> joining_ = false;
  std::atomic<bool> ever_joined_ = false;
  std::atomic<bool> left_ = false;
  std::atomic<bool> join_awaited_ = false;
  std::atomic<int64_t> join_ns_ = 0;  // when it was sent
  std::atomic<bool> heartbeat_awaited_ = false;
  std::atomic<int64_t> heartbeat_ns_ = 0;  // when it was sent or answered
};

}  // namespace outrigger::kafka
