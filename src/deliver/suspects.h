// Events that may have killed the app: each was in flight when the app died.
//
// A suspect goes only when nothing else is in flight, and then nothing else goes, so that its next
// crash can be blamed on it. Any answer clears it.
//
// Pure. Thread: the deliver flow's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_set>

namespace outrigger::deliver {

class Suspects {
 public:
  using Id = uint64_t;

  void Add(Id id) { suspects_.insert(id); }
  void Clear(Id id) { suspects_.erase(id); }
  // The event is gone.
  void Forget(Id id) {
    suspects_.erase(id);
    if (alone_ == id) alone_.reset();
  }

  // Whether the event may go beside `in_flight` others.
  bool MayGo(Id id, size_t in_flight) const {
    return !alone_ && (in_flight == 0 || !suspects_.contains(id));
  }
  void OnDispatched(Id id) {
    if (suspects_.contains(id)) alone_ = id;
  }
  // Its attempt is over. True: it was a suspect, and nothing else was in flight.
  bool OnResult(Id id) {
    if (alone_ != id) return false;
    alone_.reset();
    return true;
  }

  size_t size() const { return suspects_.size(); }

 private:
  std::unordered_set<Id> suspects_;
  std::optional<Id> alone_;  // the suspect that is in flight
};

}  // namespace outrigger::deliver
