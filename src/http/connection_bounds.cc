// The bounds of a connection: its deadlines, its share of the budgets, and when it is closed for
// another.
#include <algorithm>

#include "http/connection.h"
#include "http/served_request.h"

namespace outrigger::http {
namespace {

using boost::system::error_code;

// The first bytes of a body and of an answer, which every request may hold: max_connections bounds
// them.
constexpr size_t kUncounted = 16 << 10;
// A connection that waits for the rest of a head, or whose answer is not read, may be closed after
// this time.
constexpr auto kPatience = std::chrono::seconds(1);
// How long an idle connection is kept in a drain: its client may be sending a request.
constexpr auto kDrainIdle = std::chrono::seconds(1);
// How long is read after the last answer, for a client that is still sending.
constexpr auto kLingerTime = std::chrono::seconds(2);

// `mine`, of what is counted in `all`, becomes `bytes`, beyond the first of each; false: then it
// would be more than `most`.
bool Count(uint64_t& all, uint64_t most, uint64_t& mine, uint64_t bytes) {
  const uint64_t more = bytes - std::min<uint64_t>(bytes, kUncounted);
  if (more > mine && all - mine + more > most) return false;
  all += more - mine;
  mine = more;
  return true;
}

}  // namespace

void Connection::SetDeadline(Wait wait) {
  wait_ = wait;
  const Limits& limits = owner_->limits;
  base::Duration time{};
  switch (wait) {
    case Wait::kIdle:
      time = limits.idle_timeout;
      break;
    case Wait::kHead:
      time = limits.head_timeout;
      break;
    case Wait::kBody:
    case Wait::kWrite:
      time = limits.body_timeout;
      break;
    case Wait::kLinger:
      time = kLingerTime;
      break;
    case Wait::kNone:
      return;
  }
  if (wait == Wait::kIdle && owner_->draining) time = std::min<base::Duration>(time, kDrainIdle);
  since_ = owner_->loop.AwakeNow();
  deadline_ = since_ + std::chrono::duration_cast<base::TimePoint::duration>(time);
}

void Connection::CheckDeadline(base::TimePoint now) {
  if (wait_ == Wait::kNone || now < deadline_) return;
  const auto self = shared_from_this();
  if (wait_ == Wait::kHead)
    return Refuse({408, "the head of the request did not arrive in time", "headTimeout"});
  if (wait_ == Wait::kBody)
    return Refuse({408, "the body of the request did not arrive in time", "bodyTimeout"});
  Close();
}

bool Connection::HasRoom(uint64_t bytes) const {
  return owner_->buffered - counted_ + (bytes - std::min<uint64_t>(bytes, kUncounted)) <=
         owner_->limits.max_bodies;
}

bool Connection::Hold(uint64_t bytes) {
  if (!Count(owner_->buffered, owner_->limits.max_bodies, counted_, bytes)) return false;
  owner_->peak = std::max(owner_->peak, owner_->buffered + owner_->answers);
  return true;
}

bool Connection::HoldAnswer(uint64_t bytes) {
  if (!Count(owner_->answers, owner_->limits.max_answers, counted_answer_, bytes)) return false;
  owner_->peak = std::max(owner_->peak, owner_->buffered + owner_->answers);
  return true;
}

Refusal Connection::NoRoom() const {
  return {503, "the bodies of all requests together are larger than the sidecar may hold",
          owner_->limits.bodies_limit};
}

Refusal Connection::BodyTooLarge() const {
  return {413, "the body is larger than " + std::to_string(max_body_) + " bytes",
          max_body_ == owner_->limits.max_bodies ? owner_->limits.bodies_limit : "maxBody"};
}

bool Connection::HasUnread() {
  if (in_.size() != in_begin_ && !reading_) return true;
  error_code error;
  return socket_.available(error) > 0;
}

void Connection::Drain() {
  if (state_ != State::kHead || wait_ != Wait::kIdle) return;
  deadline_ = std::min(deadline_, since_ + kDrainIdle);
  if (deadline_ <= owner_->loop.AwakeNow() && !HasUnread()) Close();
}

std::optional<base::TimePoint> Connection::GivesWaySince() {
  const bool idle = wait_ == Wait::kIdle && !HasUnread();
  const bool slow = (wait_ == Wait::kHead || wait_ == Wait::kWrite) &&
                    owner_->loop.AwakeNow() - since_ >= kPatience;
  if (idle || slow || wait_ == Wait::kLinger) return since_;
  return std::nullopt;
}

}  // namespace outrigger::http
