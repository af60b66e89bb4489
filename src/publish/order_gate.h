// Which records have to follow others through the spool: a record whose key has an earlier one on
// the disk that the producer has not been given would overtake it.
//
// Counts by the hash of topic and key, so that it has one bounded size for a topic, whatever the
// number of keys; two keys of one hash follow each other, which costs the second a way over the
// disk and nothing else. Records without a key have no order. Pure. Thread: the loop's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "event/event.h"

namespace outrigger::publish {

class OrderGate {
 public:
  // The record is on the disk or on its way there, and the producer has not got it; until it is
  // removed, as many times as it was added.
  void Add(const event::Record& record);
  void Remove(const event::Record& record);
  // So many records of the topic, whose keys are not known, are on the disk.
  void AddUnread(const std::string& topic, uint64_t count);
  // One of them was read, and the producer has it.
  void RemoveUnread(const std::string& topic);
  // Nothing is on the disk.
  void Clear() { topics_.clear(); }

  // Whether the record has to follow another.
  bool Holds(const event::Record& record) const;
  bool HasUnread(const std::string& topic) const;

 private:
  struct Topic {
    uint64_t unread = 0;
    uint64_t records = 0;
    std::vector<uint32_t> by_key;  // counts
  };

  void EraseIfEmpty(const std::string& name, const Topic& topic);

  std::unordered_map<std::string, Topic> topics_;
};

}  // namespace outrigger::publish
