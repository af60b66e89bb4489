// The events whose ids callers chose, for a bounded while: so that a retry joins the pending event
// or gets the first answer instead of making a duplicate.
//
// Thread: the flow's. Only decided events age, and they are bounded in number, bytes and age, the
// oldest going first; how many can be undecided is the producer's bound.
#pragma once

#include <algorithm>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/clock.h"
#include "publish/outcome.h"

namespace outrigger::publish {

struct Pending;

struct KnownEvent {
  std::string name;            // source and id
  uint64_t fingerprint = 0;    // of what the event says: the same id with another one is a conflict
  Pending* pending = nullptr;  // while undecided
  Outcome outcome;             // once decided
  bool undecided = true;
  base::TimePoint decided;
  std::list<KnownEvent>::iterator self;
};

class KnownEvents {
 public:
  KnownEvents(size_t capacity, base::Duration window, size_t max_bytes = 16 << 20)
      : capacity_(capacity), window_(window), max_bytes_(max_bytes) {}

  static std::string Name(std::string_view source, std::string_view id) {
    std::string name;
    name.reserve(source.size() + 1 + id.size());
    return name.append(source).append(1, '\n').append(id);
  }

  static std::string SourceOf(std::string_view name) {
    return std::string(name.substr(0, name.rfind('\n')));
  }

  // The entry of that name, or null when it is unknown or too old.
  KnownEvent* Find(const std::string& name, base::TimePoint now) {
    while (!decided_.empty() && decided_.front().decided + window_ < now) Forget(decided_.front());
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : found->second;
  }

  // The entries of that id, whatever their source.
  template <typename Visit>
  void EachOf(std::string_view id, const Visit& visit) const {
    const auto [begin, end] = by_id_.equal_range(id);
    for (auto entry = begin; entry != end; ++entry) visit(*entry->second);
  }

  // A new entry, undecided; the name must not be known. It stays until forgotten, or decided and
  // then too old.
  KnownEvent& Add(std::string name, uint64_t fingerprint) {
    KnownEvent& entry = undecided_.emplace_back();
    entry.name = std::move(name);
    entry.fingerprint = fingerprint;
    entry.self = std::prev(undecided_.end());
    by_name_.emplace(entry.name, &entry);
    by_id_.emplace(IdOf(entry.name), &entry);
    return entry;
  }

  // The event is with the producer, for the first time or again.
  void Open(KnownEvent& entry, Pending& pending) {
    entry.pending = &pending;
    if (std::exchange(entry.undecided, true)) return;
    bytes_ -= Bytes(entry);
    undecided_.splice(undecided_.end(), decided_, entry.self);
  }

  // Also of one that was decided otherwise. `entry` may be gone afterwards.
  void Decide(KnownEvent& entry, const Outcome& outcome, base::TimePoint now) {
    entry.pending = nullptr;
    auto& from = entry.undecided ? undecided_ : decided_;
    if (!entry.undecided) bytes_ -= Bytes(entry);
    entry.outcome = outcome;
    entry.undecided = false;
    entry.decided = now;
    bytes_ += Bytes(entry);
    decided_.splice(decided_.end(), from, entry.self);
    while (decided_.size() > capacity_ || bytes_ > max_bytes_) Forget(decided_.front());
  }

  void Forget(KnownEvent& entry) {
    by_name_.erase(entry.name);
    const auto [begin, end] = by_id_.equal_range(IdOf(entry.name));
    by_id_.erase(std::find_if(begin, end, [&](const auto& of) { return of.second == &entry; }));
    if (!entry.undecided) bytes_ -= Bytes(entry);
    (entry.undecided ? undecided_ : decided_).erase(entry.self);
  }

  size_t size() const { return by_name_.size(); }
  size_t bytes() const { return bytes_; }  // of the decided

 private:
  // Its places in list and map, and the allocator's share of its parts.
  static constexpr size_t kKept = 200;

  static std::string_view IdOf(std::string_view name) { return name.substr(name.rfind('\n') + 1); }
  static size_t Bytes(const KnownEvent& entry) {
    size_t bytes = kKept + sizeof entry + entry.name.size() + entry.outcome.id.size();
    for (const auto& target : entry.outcome.targets) bytes += sizeof target + target.topic.size();
    return bytes;
  }

  size_t capacity_;
  base::Duration window_;
  size_t max_bytes_;
  size_t bytes_ = 0;               // of the decided
  std::list<KnownEvent> decided_;  // oldest first
  std::list<KnownEvent> undecided_;
  std::unordered_map<std::string_view, KnownEvent*> by_name_;
  std::unordered_multimap<std::string_view, KnownEvent*> by_id_;
};

}  // namespace outrigger::publish
