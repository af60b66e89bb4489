// The events whose ids callers chose, for a bounded while: so that a retry joins the pending event
// or gets the first answer instead of making a duplicate.
//
// Thread: the flow's. Bounded in number and age; the oldest go first.
#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "publish/outcome.h"

namespace outrigger::publish {

struct Pending;

struct KnownEvent {
  std::string name;            // source and id
  uint64_t fingerprint = 0;    // of what the event says: the same id with another one is a conflict
  Pending* pending = nullptr;  // while undecided
  Outcome outcome;             // once decided
  base::TimePoint since;
};

class KnownEvents {
 public:
  KnownEvents(size_t capacity, base::Duration window) : capacity_(capacity), window_(window) {}

  static std::string Name(std::string_view source, std::string_view id) {
    std::string name;
    name.reserve(source.size() + 1 + id.size());
    return name.append(source).append(1, '\n').append(id);
  }

  // The entry of that name, or null when it is unknown or too old.
  KnownEvent* Find(const std::string& name, base::TimePoint now) {
    Expire(now);
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : &*found->second;
  }

  // A new entry; the name must not be known. Stays valid until forgotten: pending entries are never
  // evicted.
  KnownEvent* Add(std::string name, uint64_t fingerprint, base::TimePoint now) {
    while (entries_.size() >= capacity_ && !entries_.front().pending) Forget(&entries_.front());
    entries_.push_back({std::move(name), fingerprint, nullptr, {}, now});
    by_name_.emplace(entries_.back().name, std::prev(entries_.end()));
    return &entries_.back();
  }

  void Forget(KnownEvent* entry) {
    const auto found = by_name_.find(entry->name);
    const auto position = found->second;
    by_name_.erase(found);
    entries_.erase(position);
  }

  size_t size() const { return entries_.size(); }

 private:
  void Expire(base::TimePoint now) {
    while (!entries_.empty() && !entries_.front().pending && entries_.front().since + window_ < now)
      Forget(&entries_.front());
  }

  size_t capacity_;
  base::Duration window_;
  std::list<KnownEvent> entries_;  // oldest first
  std::unordered_map<std::string_view, std::list<KnownEvent>::iterator> by_name_;
};

}  // namespace outrigger::publish
