#include "kafka/group_requests.h"

#include <chrono>

namespace outrigger::kafka {
namespace {

using std::chrono::steady_clock;

// ApiKeys of the Kafka protocol.
constexpr int16_t kJoinGroup = 11;
constexpr int16_t kHeartbeat = 12;
constexpr int16_t kLeaveGroup = 13;

// A heartbeat that is not answered by now tells nothing: the coordinator is slow or away.
constexpr std::chrono::milliseconds kLongestHeartbeat{200};
// From the answer on the wire to the JoinGroup that follows from it.
constexpr std::chrono::milliseconds kReaction{10};

// Twice the default of max.poll.interval.ms: the request is lost.
constexpr std::chrono::minutes kLongestJoin{10};

constexpr char kName[] = "group_requests";

rd_kafka_resp_err_t OnRequest(rd_kafka_t*, int, const char*, int32_t, int16_t api_key, int16_t,
                              int32_t, size_t, void* self) {
  static_cast<GroupRequests*>(self)->OnSent(api_key);
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t OnResponse(rd_kafka_t*, int, const char*, int32_t, int16_t api_key, int16_t,
                               int32_t, size_t, int64_t, rd_kafka_resp_err_t, void* self) {
  static_cast<GroupRequests*>(self)->OnAnswered(api_key);
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t OnNew(rd_kafka_t* rk, const rd_kafka_conf_t*, void* self, char*, size_t) {
  rd_kafka_interceptor_add_on_request_sent(rk, kName, OnRequest, self);
  rd_kafka_interceptor_add_on_response_received(rk, kName, OnResponse, self);
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

}  // namespace

void GroupRequests::Watch(rd_kafka_conf_t* conf) {
  rd_kafka_conf_interceptor_add_on_new(conf, kName, OnNew, this);
}

void GroupRequests::OnSent(int16_t api_key) {
  if (api_key == kJoinGroup) {
    joining_ = true;
    join_ns_ = steady_clock::now().time_since_epoch().count();
    join_awaited_ = true;
    left_ = false;  // librdkafka leaves by itself when max.poll.interval.ms has passed
    ever_joined_ = true;
  } else if (api_key == kHeartbeat) {
    heartbeat_ns_ = steady_clock::now().time_since_epoch().count();
    heartbeat_awaited_ = true;
  }
}

void GroupRequests::OnAnswered(int16_t api_key) {
  if (api_key == kLeaveGroup) {
    left_ = true;
  } else if (api_key == kJoinGroup) {
    join_awaited_ = false;
  } else if (api_key == kHeartbeat) {
    heartbeat_ns_ = steady_clock::now().time_since_epoch().count();
    heartbeat_awaited_ = false;
  }
}

bool GroupRequests::JoinAwaited() const {
  const auto since =
      steady_clock::now().time_since_epoch() - steady_clock::duration(join_ns_.load());
  return join_awaited_ && since < kLongestJoin;
}

bool GroupRequests::MayJoin() const {
  const bool awaited = heartbeat_awaited_;
  const auto since =
      steady_clock::now().time_since_epoch() - steady_clock::duration(heartbeat_ns_.load());
  return since < (awaited ? kLongestHeartbeat : kReaction);
}

}  // namespace outrigger::kafka
