// What the spool holds, and how much of it is each topic's.
//
// Pure. Thread: the loop's.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <unordered_map>

namespace outrigger::publish {

class SpoolUse {
 public:
  void Add(const std::string& topic, uint64_t records, uint64_t bytes) {
    records_ += records;
    bytes_ += bytes;
    Topic& use = topics_[topic];
    use.records += records;
    use.bytes += bytes;
  }
  // One record; a damaged one belongs to no topic that is known.
  void Remove(const std::string& topic, uint64_t bytes) {
    if (records_ > 0) --records_;
    bytes_ -= std::min(bytes, bytes_);
    const auto found = topics_.find(topic);
    if (found != topics_.end()) {
      Topic& use = found->second;
      if (use.records > 0) --use.records;
      use.bytes -= std::min(bytes, use.bytes);
      if (use.records == 0) topics_.erase(found);
    }
    if (records_ > 0) return;
    bytes_ = 0;
    topics_.clear();
  }

  uint64_t records() const { return records_; }
  uint64_t bytes() const { return bytes_; }
  uint64_t bytes_of(const std::string& topic) const {
    const auto found = topics_.find(topic);
    return found == topics_.end() ? 0 : found->second.bytes;
  }

 private:
  struct Topic {
    uint64_t records = 0;
    uint64_t bytes = 0;
  };

  uint64_t records_ = 0;
  uint64_t bytes_ = 0;
  std::unordered_map<std::string, Topic> topics_;
};

}  // namespace outrigger::publish
