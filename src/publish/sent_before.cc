#include "publish/sent_before.h"

#include <algorithm>
#include <string>

namespace outrigger::publish {
namespace {

constexpr kafka::Stored kNothing{-1, -1};
constexpr kafka::Stored kSent{-1, INT64_MAX};  // behind it nothing is skipped

// Whether the record says which event it is: in a header, or, in structured mode, in its value.
bool NamesItsEvent(const store::Row& row) {
  for (const auto& [name, value] : row.record.headers) {
    if (!value) continue;
    if (name == "ce_id") return *value == row.event_id;
    if (name == "content-type" && value->starts_with("application/cloudevents+"))
      return row.record.value &&
             row.record.value->find("\"id\":\"" + row.event_id + '"') != std::string::npos;
  }
  return false;
}

}  // namespace

SentBefore::SentBefore(std::vector<kafka::TailRecord> tail) : tail_(std::move(tail)) {
  std::sort(tail_.begin(), tail_.end());
  taken_.resize(tail_.size());
  for (const auto& record : tail_) skipped_.emplace(record.digest.key, kNothing);
}

std::optional<kafka::Stored> SentBefore::Take(const store::Row& row) {
  if (tail_.empty()) return std::nullopt;
  const event::RecordDigest digest = event::DigestOf(row.record);
  const Copies copies = NamesItsEvent(row) ? Find(digest) : Copies{};
  const bool skipped = copies.next < copies.end &&
                       (!row.record.key || KeepsOrder(digest, tail_[copies.end - 1].where));
  if (skipped) {
    taken_[copies.next] = true;
    return tail_[copies.next].where;
  }
  if (const auto key = skipped_.find(digest.key); key != skipped_.end()) key->second = kSent;
  return std::nullopt;
}

SentBefore::Copies SentBefore::Find(const event::RecordDigest& digest) const {
  const auto [begin, end] = std::equal_range(
      tail_.begin(), tail_.end(), kafka::TailRecord{digest, {}},
      [](const auto& one, const auto& other) { return one.digest < other.digest; });
  Copies copies{static_cast<size_t>(begin - tail_.begin()),
                static_cast<size_t>(end - tail_.begin())};
  while (copies.next < copies.end && taken_[copies.next]) ++copies.next;
  return copies;
}

// Whether Kafka has the record, whose latest copy is there, behind what was skipped of its key.
bool SentBefore::KeepsOrder(const event::RecordDigest& digest, const kafka::Stored& latest) {
  kafka::Stored& last = skipped_.at(digest.key);
  if (last != kNothing && (last.partition != latest.partition || last.offset > latest.offset))
    return false;
  last = latest;
  return true;
}

}  // namespace outrigger::publish
