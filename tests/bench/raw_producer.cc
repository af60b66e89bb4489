#include "raw_producer.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include "event_text.h"
#include "process_cpu.h"

namespace outrigger::bench {
namespace {

constexpr uint64_t kSecond = 1000000000;
constexpr uint64_t kGiveUp = 30 * kSecond;

rd_kafka_conf_t* Configure(const std::vector<std::pair<std::string, std::string>>& properties) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  std::array<char, 512> reason;
  for (const auto& [name, value] : properties)
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), reason.data(), reason.size()) !=
        RD_KAFKA_CONF_OK)
      throw std::runtime_error(reason.data());
  return conf;
}

rd_kafka_t* Open(rd_kafka_conf_t* conf) {
  std::array<char, 512> reason;
  rd_kafka_t* rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason.data(), reason.size());
  if (rk == nullptr) throw std::runtime_error(reason.data());
  return rk;
}

// The headers that the sidecar's CloudEvents binding writes, built for each event as the sidecar
// has to.
rd_kafka_headers_t* Headers(const std::string& type, uint64_t number) {
  std::array<char, 40> id;
  const int length = std::snprintf(id.data(), id.size(), "019a0000-0000-7000-8000-%012llx",
                                   static_cast<unsigned long long>(number & 0xffffffffffffull));
  rd_kafka_headers_t* headers = rd_kafka_headers_new(7);
  const auto add = [headers](std::string_view name, std::string_view value) {
    rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                        static_cast<ssize_t>(value.size()));
  };
  add("ce_specversion", "1.0");
  add("ce_id", {id.data(), static_cast<size_t>(length)});
  add("ce_source", "bench");
  add("ce_type", type);
  add("ce_time", "2026-01-31T08:15:30.123Z");
  add("ce_version", "1.0");
  add("content-type", "application/json");
  return headers;
}

}  // namespace

RawProducer::RawProducer(RawOptions options) : options_(std::move(options)) {
  rd_kafka_conf_t* conf = Configure({{"bootstrap.servers", options_.brokers},
                                     {"acks", "all"},
                                     {"enable.idempotence", "true"},
                                     {"linger.ms", std::to_string(options_.linger_ms)},
                                     {"partitioner", "murmur2_random"},
                                     {"socket.nagle.disable", "true"}});
  rd_kafka_conf_set_dr_msg_cb(conf, OnReport);
  rd_kafka_conf_set_opaque(conf, this);
  rk_ = Open(conf);
  topic_ = rd_kafka_topic_new(rk_, options_.topic.c_str(), nullptr);
  for (size_t i = 0; i < options_.keys; ++i) {
    const std::string key = KeyText(i);
    events_.emplace_back(key, DataText(options_.type, key));
  }
}

RawProducer::~RawProducer() {
  rd_kafka_topic_destroy(topic_);
  rd_kafka_destroy(rk_);
}

void RawProducer::OnReport(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
  auto* self = static_cast<RawProducer*>(opaque);
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    ++self->delivered_;
    return;
  }
  ++self->failed_;
  if (self->first_error_.empty()) self->first_error_ = rd_kafka_err2str(message->err);
}

// False when the producer's queue is full.
bool RawProducer::Produce() {
  const auto& [key, value] = events_[next_ % events_.size()];
  rd_kafka_headers_t* headers = options_.headers ? Headers(options_.type, next_) : nullptr;
  std::array<rd_kafka_vu_t, 5> fields{};
  size_t count = 0;
  fields[count].vtype = RD_KAFKA_VTYPE_RKT;
  fields[count++].u.rkt = topic_;
  fields[count].vtype = RD_KAFKA_VTYPE_KEY;
  fields[count++].u.mem = {const_cast<char*>(key.data()), key.size()};
  fields[count].vtype = RD_KAFKA_VTYPE_VALUE;
  fields[count++].u.mem = {const_cast<char*>(value.data()), value.size()};
  fields[count].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  fields[count++].u.i = RD_KAFKA_MSG_F_COPY;
  if (headers != nullptr) {
    fields[count].vtype = RD_KAFKA_VTYPE_HEADERS;
    fields[count++].u.headers = headers;
  }
  rd_kafka_error_t* error = rd_kafka_produceva(rk_, fields.data(), count);
  if (error == nullptr) {
    ++next_;
    return true;
  }
  if (headers != nullptr) rd_kafka_headers_destroy(headers);
  const bool full = rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR__QUEUE_FULL;
  const std::string reason = rd_kafka_error_string(error);
  rd_kafka_error_destroy(error);
  if (!full) throw std::runtime_error("produce: " + reason);
  return false;
}

RawMeasured RawProducer::Sync() {
  RawMeasured measured;
  const uint64_t start = NowNanos();
  const uint64_t warm = start + static_cast<uint64_t>(options_.warm_up * kSecond);
  uint64_t since = 0;
  uint64_t end = UINT64_MAX;
  while (true) {
    const uint64_t before = NowNanos();
    if (since == 0 && before >= warm && delivered_ > 0) {
      since = before;
      end = since + static_cast<uint64_t>(options_.seconds * kSecond);
      measured.cpu_seconds = -CpuSeconds(0);
    }
    if (before >= end) break;
    const uint64_t done = delivered_ + failed_;
    Produce();
    while (delivered_ + failed_ == done) {
      rd_kafka_poll(rk_, 1000);
      if (NowNanos() > before + kGiveUp) throw std::runtime_error("no report for 30 s");
    }
    if (failed_ > 0) throw std::runtime_error("an event was not acked: " + first_error_);
    if (since > 0) measured.latency.Add(NowNanos() - before);
  }
  measured.seconds = static_cast<double>(NowNanos() - since) / kSecond;
  measured.cpu_seconds += CpuSeconds(0);
  measured.events = measured.latency.count();
  return measured;
}

RawMeasured RawProducer::Stream() {
  RawMeasured measured;
  const uint64_t start = NowNanos();
  const uint64_t warm = start + static_cast<uint64_t>(options_.warm_up * kSecond);
  uint64_t since = 0;
  uint64_t end = UINT64_MAX;
  uint64_t delivered_before = 0;
  while (true) {
    const uint64_t now = NowNanos();
    if (since == 0 && now >= warm && delivered_ > 0) {
      since = now;
      end = since + static_cast<uint64_t>(options_.seconds * kSecond);
      delivered_before = delivered_;
      measured.cpu_seconds = -CpuSeconds(0);
    }
    if (now >= end) break;
    if (delivered_ == 0 && now > start + kGiveUp) throw std::runtime_error("no report for 30 s");
    bool full = false;
    for (int i = 0; i < 100 && !full; ++i) full = !Produce();
    rd_kafka_poll(rk_, full ? 10 : 0);
  }
  measured.seconds = static_cast<double>(NowNanos() - since) / kSecond;
  measured.events = delivered_ - delivered_before;
  measured.cpu_seconds += CpuSeconds(0);
  rd_kafka_flush(rk_, 10000);
  if (failed_ > 0) throw std::runtime_error("events were not acked: " + first_error_);
  return measured;
}

void CreateTopics(const std::string& brokers,
                  const std::vector<std::pair<std::string, int>>& topics,
                  const std::vector<std::pair<std::string, std::string>>& config) {
  rd_kafka_t* rk = Open(Configure({{"bootstrap.servers", brokers}}));
  std::vector<rd_kafka_NewTopic_t*> wanted;
  for (const auto& [name, partitions] : topics) {
    wanted.push_back(rd_kafka_NewTopic_new(name.c_str(), partitions, 1, nullptr, 0));
    for (const auto& [property, value] : config)
      rd_kafka_NewTopic_set_config(wanted.back(), property.c_str(), value.c_str());
  }
  rd_kafka_queue_t* queue = rd_kafka_queue_new(rk);
  rd_kafka_CreateTopics(rk, wanted.data(), wanted.size(), nullptr, queue);
  rd_kafka_event_t* event = rd_kafka_queue_poll(queue, 30000);
  std::string problem = event == nullptr ? "no answer for 30 s" : "";
  if (event != nullptr && rd_kafka_event_error(event)) problem = rd_kafka_event_error_string(event);
  if (problem.empty()) {
    size_t count = 0;
    const rd_kafka_topic_result_t** results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    for (size_t i = 0; i < count; ++i)
      if (rd_kafka_topic_result_error(results[i]))
        problem = std::string(rd_kafka_topic_result_name(results[i])) + ": " +
                  rd_kafka_err2str(rd_kafka_topic_result_error(results[i]));
  }
  if (event != nullptr) rd_kafka_event_destroy(event);
  rd_kafka_NewTopic_destroy_array(wanted.data(), wanted.size());
  rd_kafka_queue_destroy(queue);
  rd_kafka_destroy(rk);
  if (!problem.empty()) throw std::runtime_error("creating topics: " + problem);
}

}  // namespace outrigger::bench
