// What became of one event, whatever form the request had.
//
// A plain value; answer.h makes the HTTP answer of it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "publish/rejection.h"

namespace outrigger::publish {

// One topic that an event was meant for.
struct Target {
  enum class Status {
    kUndecided,
    kAcked,
    kSpooled,
    kDeadLettered,  // from the spool, and so is
    kQuarantined,
    kQueued,
    kDiscarded,
    kFailed
  };

  std::string topic;
  Status status = Status::kUndecided;
  int32_t partition = -1;
  int64_t offset = -1;
  std::shared_ptr<const Rejection> rejection;  // kFailed; else null, and small

  void Fail(Rejection why) {
    status = Status::kFailed;
    rejection = std::make_shared<Rejection>(std::move(why));
  }
  // Not to be sent again.
  bool safe() const {
    return status != Status::kUndecided && status != Status::kQueued && status != Status::kFailed;
  }
};

struct Outcome {
  std::string id;
  std::vector<Target> targets;                 // one for each rule that took the event
  std::shared_ptr<const Rejection> rejection;  // of the whole, before any target was tried

  void Reject(Rejection why) { rejection = std::make_shared<Rejection>(std::move(why)); }
};

// A caller of an event, who is told once.
using OnDecided = std::function<void(const Outcome&)>;

}  // namespace outrigger::publish
