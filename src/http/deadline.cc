#include "http/deadline.h"

#include <algorithm>

namespace outrigger::http {
namespace {

base::Duration TimeFor(Deadline::Wait wait, const Limits& limits) {
  switch (wait) {
    case Deadline::Wait::kIdle:
      return limits.idle_timeout;
    case Deadline::Wait::kHead:
      return limits.head_timeout;
    case Deadline::Wait::kBody:
    case Deadline::Wait::kWrite:
      return limits.body_timeout;
    case Deadline::Wait::kLinger:
      return Deadline::kLingerTime;
    case Deadline::Wait::kNone:
      break;
  }
  return {};
}

}  // namespace

void Deadline::Set(Wait wait, const Limits& limits, base::TimePoint now) {
  wait_ = wait;
  since_ = now;
  deadline_ = now + TimeFor(wait, limits);
}

void Deadline::ShortenForDrain() {
  if (wait_ == Wait::kIdle) deadline_ = std::min(deadline_, since_ + kDrainIdle);
}

std::optional<Refusal> Deadline::TooLate() const {
  if (wait_ == Wait::kHead)
    return Refusal{408, "the head of the request did not arrive in time", "headTimeout"};
  if (wait_ == Wait::kBody)
    return Refusal{408, "the body of the request did not arrive in time", "bodyTimeout"};
  return std::nullopt;
}

std::optional<base::TimePoint> Deadline::GivesWaySince(base::TimePoint now) const {
  switch (wait_) {
    case Wait::kIdle:
    case Wait::kLinger:
      return since_;
    case Wait::kHead:
    case Wait::kWrite:
      if (now - since_ >= kPatience) return since_;
      break;
    case Wait::kBody:
    case Wait::kNone:
      break;
  }
  return std::nullopt;
}

}  // namespace outrigger::http
