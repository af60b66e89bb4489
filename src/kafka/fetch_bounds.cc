#include "kafka/fetch_bounds.h"

#include <algorithm>
#include <optional>

#include "config/values.h"

namespace outrigger::kafka {
namespace {

// Half of a share is the queue. An answer is little: each broker's comes on top of the queue, and
// librdkafka unpacks all of it at once, eight times as much being usual for compressed JSON.
constexpr uint64_t kQueue = 2;
constexpr uint64_t kAnswer = 32;
constexpr uint64_t kUnpacked = 8;
static_assert(1.0 / kQueue + 2.0 * kUnpacked / kAnswer <= 1, "answers of two brokers");
// What the flow gets in one piece may be beyond what it has room for.
constexpr uint64_t kPassedOn = 8;
// Of a record that is fetched but not passed on: its place in the queue, key and headers.
constexpr uint64_t kRecord = 2048;
constexpr uint64_t kKilobyte = 1000;  // librdkafka's, of queued.max.messages.kbytes
// Beyond the records of a fetch's answer; also the least that librdkafka takes.
constexpr uint64_t kFraming = 1024;
// The metadata of a large cluster is as much.
constexpr uint64_t kLeastReceived = 8 << 20;

constexpr FetchBounds kMost;
static_assert(kMost.fetch_bytes <= kMost.queued_bytes &&
              kMost.partition_bytes <= kMost.fetch_bytes &&
              kMost.fetch_bytes + kFraming <= kMost.receive_bytes &&
              kMost.passed_on <= kMost.queued_bytes);

constexpr char kQueuedKilobytes[] = "queued.max.messages.kbytes";
constexpr char kQueuedRecords[] = "queued.min.messages";
constexpr char kFetchBytes[] = "fetch.max.bytes";
constexpr char kPartitionBytes[] = "fetch.message.max.bytes";
constexpr char kPartitionBytesToo[] = "max.partition.fetch.bytes";
constexpr char kReceiveBytes[] = "receive.message.max.bytes";
constexpr char kMessageBytes[] = "message.max.bytes";

// As the config sets it; the consumers' own value wins.
const config::Text* Find(const config::Kafka& kafka, const std::string& name) {
  for (const auto* properties : {&kafka.consumer_properties, &kafka.properties})
    if (const auto found = properties->find(name); found != properties->end())
      return &found->second;
  return nullptr;
}

std::optional<uint64_t> NumberOf(const config::Text* text) {
  return text == nullptr ? std::nullopt : config::ParseWhole(text->value);
}

}  // namespace

FetchBounds FetchBounds::Of(uint64_t share, uint64_t budget) {
  FetchBounds bounds;
  bounds.queued_bytes = std::clamp(share / kQueue, kKilobyte, kMost.queued_bytes);
  bounds.queued_records = std::clamp<uint64_t>(share / kQueue / kRecord, 1, kMost.queued_records);
  bounds.fetch_bytes = std::clamp(share / kAnswer, kFraming, kMost.fetch_bytes);
  bounds.partition_bytes = std::min(bounds.fetch_bytes, kMost.partition_bytes);
  bounds.receive_bytes = std::clamp(budget / 2, kLeastReceived, kMost.receive_bytes);
  bounds.passed_on = std::min(share / kPassedOn, kMost.passed_on);
  return bounds;
}

std::vector<std::pair<std::string, std::string>> FetchProperties(const FetchBounds& bounds,
                                                                 const config::Kafka& kafka) {
  std::vector<std::pair<std::string, std::string>> properties;
  const auto add = [&](const char* name, uint64_t value) {
    if (Find(kafka, name) == nullptr) properties.emplace_back(name, std::to_string(value));
  };
  const uint64_t fetch = NumberOf(Find(kafka, kFetchBytes)).value_or(bounds.fetch_bytes);
  add(kQueuedKilobytes, std::max<uint64_t>(bounds.queued_bytes / kKilobyte, 1));
  add(kQueuedRecords, bounds.queued_records);
  add(kFetchBytes, bounds.fetch_bytes);
  if (Find(kafka, kPartitionBytesToo) == nullptr)
    add(kPartitionBytes, std::min(bounds.partition_bytes, fetch));
  add(kReceiveBytes, std::max(bounds.receive_bytes, fetch + kFraming));
  // A consumer sends no records, but librdkafka wants fetch.max.bytes to be no less than this.
  properties.emplace_back(kMessageBytes,
                          std::to_string(std::clamp<uint64_t>(fetch, 1000, 1 << 20)));
  return properties;
}

std::vector<config::Problem> CheckFetchProperties(const FetchBounds& bounds,
                                                  const config::Kafka& kafka) {
  std::vector<config::Problem> problems;
  const auto check = [&](const char* name, uint64_t most) {
    const config::Text* text = Find(kafka, name);
    const auto value = NumberOf(text);
    if (!value || *value <= most) return;
    problems.push_back({text->place, text->path,
                        "each consumer may hold more by this than its share of memory.budget, "
                        "which allows " +
                            std::to_string(most),
                        "leave it out, or raise memory.budget and the container's limit",
                        config::Problem::Severity::kWarning});
  };
  check(kQueuedKilobytes, bounds.queued_bytes / kKilobyte);
  check(kQueuedRecords, bounds.queued_records);
  check(kFetchBytes, bounds.fetch_bytes);
  check(kPartitionBytes, bounds.fetch_bytes);
  check(kPartitionBytesToo, bounds.fetch_bytes);
  check(kReceiveBytes, bounds.receive_bytes);
  return problems;
}

}  // namespace outrigger::kafka
