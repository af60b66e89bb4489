// librdkafka with nothing around it: what the broker and this machine give, measured beside the
// sidecar.
//
// Same promises as the sidecar's producer (acks=all, idempotent, murmur2), same key, value and
// headers. One thread besides librdkafka's own; reports come by rd_kafka_poll. Throws
// std::runtime_error.
#pragma once

#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "histogram.h"

namespace outrigger::bench {

struct RawOptions {
  std::string brokers;
  std::string topic;
  std::string type;  // of the event; its length shapes the value
  size_t keys = 1000;
  double linger_ms = 0;
  bool headers = true;
  double warm_up = 0.5;
  double seconds = 2;
};

struct RawMeasured {
  double seconds = 0;
  uint64_t events = 0;
  uint64_t failed = 0;
  double cpu_seconds = 0;
  Histogram latency;  // sync only, in nanoseconds
};

class RawProducer {
 public:
  explicit RawProducer(RawOptions options);
  ~RawProducer();
  RawProducer(const RawProducer&) = delete;
  RawProducer& operator=(const RawProducer&) = delete;

  // One event, then its report, then the next.
  RawMeasured Sync();
  // As many as the producer's queue takes.
  RawMeasured Stream();

 private:
  bool Produce();
  static void OnReport(rd_kafka_t* rk, const rd_kafka_message_t* message, void* self);

  RawOptions options_;
  rd_kafka_t* rk_ = nullptr;
  rd_kafka_topic_t* topic_ = nullptr;
  std::vector<std::pair<std::string, std::string>> events_;  // key, value
  size_t next_ = 0;
  uint64_t delivered_ = 0;
  uint64_t failed_ = 0;
  std::string first_error_;
};

// Creates topics on real brokers: (name, partitions) each, with `config` for all of them. A topic
// that is there already is an error.
void CreateTopics(const std::string& brokers,
                  const std::vector<std::pair<std::string, int>>& topics,
                  const std::vector<std::pair<std::string, std::string>>& config);

}  // namespace outrigger::bench
