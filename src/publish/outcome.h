// What became of one event: the answer's content, whatever form the request had.
//
// A plain value. Source: contract "Publishing", the table of answers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "http/problem.h"

namespace outrigger::publish {

// One topic that an event was meant for.
struct Target {
  enum class Status { kUndecided, kAcked, kQueued, kDiscarded, kFailed };

  std::string topic;
  Status status = Status::kUndecided;
  int32_t partition = -1;
  int64_t offset = -1;
  std::shared_ptr<const http::Problem> problem;  // kFailed; else null, and small

  void Fail(http::Problem why) {
    status = Status::kFailed;
    problem = std::make_shared<http::Problem>(std::move(why));
  }
  // The HTTP status that this target alone would give.
  int code() const;
  bool safe() const { return status == Status::kAcked || status == Status::kDiscarded; }
};

struct Outcome {
  std::string id;
  std::vector<Target> targets;                   // one for each rule that took the event
  std::shared_ptr<const http::Problem> problem;  // refused as a whole, before any target was tried

  void Refuse(http::Problem why) { problem = std::make_shared<http::Problem>(std::move(why)); }

  // 200 all acked; 202 any that is not on Kafka yet; else the highest failing code.
  int code() const;
  // The HTTP answer of a single event, and the event's entry in a batch's `results`.
  http::Response ToResponse() const;
  void AppendJson(std::string& out) const;
  // The same for an answer that has no room left: less than kBrief bytes.
  static constexpr size_t kBrief = 128;
  void AppendBrief(std::string& out) const;
};

// A caller of an event, who is told once.
using OnDecided = std::function<void(const Outcome&)>;

}  // namespace outrigger::publish
