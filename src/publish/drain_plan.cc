#include "publish/drain_plan.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace outrigger::publish {

bool DrainPlan::Stuck(const State& state, base::TimePoint now) const {
  if (now < state.retry_at) return true;
  return state.records > 0 &&
         (state.pause > base::Duration::zero() || now - state.progress >= limits_.stuck_after);
}

// After a refusal a single record tries whether the others would pass.
bool DrainPlan::HasRoom(const State& state, base::TimePoint now) const {
  if (now < state.retry_at) return false;
  if (state.records == 0) return true;
  return state.pause == base::Duration::zero() && state.records < state.window &&
         state.bytes < limits_.lane_bytes && !Stuck(state, now);
}

// A page is not read for the room of a single record.
bool DrainPlan::WorthReading(const State& state, base::TimePoint now) const {
  return HasRoom(state, now) && state.records <= state.window / 2;
}

size_t DrainPlan::BytesUnderWay(base::TimePoint now) const {
  size_t bytes = 0;
  for (const auto& [lane, state] : lanes_)
    if (!Stuck(state, now)) bytes += state.bytes;
  return bytes;
}

void DrainPlan::OnLate(const Lane& lane) {
  State& state = lanes_[lane];
  ++state.records;
  ++state.late;
}

void DrainPlan::OnLatePut(int64_t id, const Lane& lane) {
  given_.emplace(id, Given{lane, 0, true});
  OnPut(id);
}

void DrainPlan::OnLateLeft(int64_t id, const Lane& lane) {
  left_.Add(id);
  OnPut(id);
  OnLateGone(lane);
}

void DrainPlan::OnLateGone(const Lane& lane) {
  State& state = lanes_.at(lane);
  assert(state.records > 0 && state.late > 0);
  --state.records;
  --state.late;
  EraseIfIdle(lane);
}

std::optional<DrainPlan::Reading> DrainPlan::Next(base::TimePoint now) {
  assert(!reading_);
  held_first_ = !held_first_;
  const bool room = BytesUnderWay(now) < limits_.bytes;
  std::optional<Reading> held;
  for (const auto& [lane, state] : lanes_)
    if (state.held_from && WorthReading(state, now) && !Behind(lane, *state.held_from) &&
        (!held || *state.held_from <= held->after))
      held = Reading{*state.held_from - 1, last_, lane};
  std::optional<Reading> ahead;
  if (read_ < last_) {
    const auto waited = waits_for_ ? lanes_.find(*waits_for_) : lanes_.end();
    if (waited == lanes_.end() || WorthReading(waited->second, now) || Stuck(waited->second, now))
      ahead = Reading{read_, last_, std::nullopt};
  }
  auto next = held && (held_first_ || !ahead) ? held : ahead;
  if (!room || !next) return std::nullopt;
  reading_ = true;
  if (!next->held) waits_for_.reset();
  return next;
}

bool DrainPlan::Holds(const Lane& lane, int64_t id) const {
  const auto found = lanes_.find(lane);
  return found != lanes_.end() && found->second.held_from && *found->second.held_from <= id;
}

// Whether a record of the lane is behind one of its topic that may have the same key: partitions
// and kUnknown go in the order of their first records.
bool DrainPlan::Behind(const Lane& lane, int64_t id) const {
  if (lane.partition >= 0) return Holds({lane.topic, Lane::kUnknown}, id);
  if (lane.partition == Lane::kAny) return false;
  return PartitionHolds(lane.topic, id, nullptr);
}

// Whether a partition but `than` holds a record before this one.
bool DrainPlan::PartitionHolds(const std::string& topic, int64_t id, const Lane* than) const {
  for (auto other = lanes_.lower_bound(Lane{topic, 0});
       other != lanes_.end() && other->first.topic == topic; ++other)
    if (other->second.held_from && *other->second.held_from < id &&
        (!than || other->first != *than))
      return true;
  return false;
}

DrainPlan::Step DrainPlan::Look(const Reading& reading, int64_t id, const Lane& of,
                                base::TimePoint now) {
  if (reading.held && id > read_) {
    // From here on nothing was ever read, so nothing was passed over.
    lanes_[*reading.held].held_from.reset();
    return Step::kStop;
  }
  if (dropping_.contains(id)) return Step::kStop;
  if (given_.contains(id) || left_.Contains(id) ||
      (reading.held && of.topic != reading.held->topic)) {
    Passed(reading, id);
    return Step::kSkip;
  }
  return reading.held ? LookAgain(reading, id, of, now) : LookAhead(reading, id, of, now);
}

DrainPlan::Step DrainPlan::LookAhead(const Reading& reading, int64_t id, const Lane& of,
                                     base::TimePoint now) {
  const Lane lane = Ahead(of, id);
  State& state = lanes_[lane];
  if (!state.held_from && !Behind(lane, id)) {
    if (HasRoom(state, now)) return Step::kGive;
    if (!Stuck(state, now)) {
      waits_for_ = lane;
      return Step::kStop;
    }
  }
  Hold(state, id);
  Passed(reading, id);
  return Step::kSkip;
}

// The lane of a record that was never read: kUnknown as long as that holds others of its topic.
Lane DrainPlan::Ahead(const Lane& lane, int64_t id) const {
  return lane.partition >= 0 && Behind(lane, id) ? Lane{lane.topic, Lane::kUnknown} : lane;
}

// Of the topic of a lane that was held: the record may be of another lane now.
DrainPlan::Step DrainPlan::LookAgain(const Reading& reading, int64_t id, const Lane& lane,
                                     base::TimePoint now) {
  State& state = lanes_[lane];
  if (lane == *reading.held) {
    if (HasRoom(state, now) && !Behind(lane, id)) return Step::kGive;
    state.held_from = id;
    return Step::kStop;
  }
  const bool from_partition = reading.held->partition >= 0;
  const bool waits = Holds(lane, id) || (from_partition && lane.partition >= 0 && Behind(lane, id));
  const bool behind = from_partition && lane.partition == Lane::kUnknown &&
                      PartitionHolds(lane.topic, id, &*reading.held);
  if (!waits) {
    if (HasRoom(state, now) && !behind) return Step::kGive;
    Hold(state, id);
  }
  Passed(reading, id);
  return Step::kSkip;
}

void DrainPlan::Hold(State& state, int64_t id) {
  state.held_from = std::min(state.held_from.value_or(id), id);
}

// Everything up to the record was looked at.
void DrainPlan::Passed(const Reading& reading, int64_t id) {
  if (!reading.held) {
    read_ = std::max(read_, id);
  } else if (State& state = lanes_[*reading.held]; state.held_from) {
    state.held_from = std::max(*state.held_from, id + 1);
  }
}

void DrainPlan::OnGiven(const Reading& reading, int64_t id, const Lane& of, size_t bytes,
                        base::TimePoint now) {
  const Lane lane = reading.held ? of : Ahead(of, id);
  State& state = lanes_[lane];
  if (state.records == 0) state.progress = now;
  ++state.records;
  state.bytes += bytes;
  given_.emplace(id, Given{lane, bytes, false});
  Passed(reading, id);
}

void DrainPlan::EndReading(const Reading& reading, bool all) {
  reading_ = false;
  if (all && !reading.held) read_ = std::max(read_, reading.last);
  if (all && reading.held) lanes_[*reading.held].held_from.reset();
  if (reading.held) EraseIfIdle(*reading.held);
}

DrainPlan::Given DrainPlan::Take(int64_t id) {
  auto node = given_.extract(id);
  assert(node);
  Given given = std::move(node.mapped());
  State& state = lanes_.at(given.lane);
  assert(state.records > 0 && state.bytes >= given.bytes);
  --state.records;
  state.bytes -= given.bytes;
  if (given.late) --state.late;
  return given;
}

void DrainPlan::OnLeft(int64_t id, base::TimePoint now) {
  const Given given = Take(id);
  State& state = lanes_.at(given.lane);
  state.progress = now;
  state.pause = base::Duration::zero();
  state.window = std::min(state.window + 1, limits_.lane_records);
  left_.Add(id);
  EraseIfIdle(given.lane);
}

void DrainPlan::OnRefused(int64_t id, base::TimePoint now) {
  const Given given = Take(id);
  State& state = lanes_.at(given.lane);
  Hold(state, id);
  if (now < state.retry_at) return;  // of the same batch
  state.pause = std::clamp(state.pause * 2, limits_.first_pause, limits_.longest_pause);
  state.retry_at = now + state.pause;
}

void DrainPlan::EndDrop(int64_t id, bool dropped) {
  dropping_.erase(id);
  if (dropped) left_.Add(id);
}

bool DrainPlan::BeginDrop(int64_t id) {
  return id <= last_ && !given_.contains(id) && !left_.Contains(id) && dropping_.insert(id).second;
}

bool DrainPlan::Waits(const Lane& lane, base::TimePoint now) const {
  const auto waits = [&](const Lane& name) {
    const auto found = lanes_.find(name);
    return found != lanes_.end() &&
           (found->second.late > 0 || found->second.held_from || Stuck(found->second, now));
  };
  return waits(lane) || (lane.partition >= 0 && waits(Lane{lane.topic, Lane::kUnknown}));
}

bool DrainPlan::Waiting() const {
  return read_ < last_ || std::any_of(lanes_.begin(), lanes_.end(), [](const auto& lane) {
           return lane.second.held_from.has_value();
         });
}

void DrainPlan::EraseIfIdle(const Lane& lane) {
  const auto found = lanes_.find(lane);
  if (found == lanes_.end()) return;
  const State& state = found->second;
  if (state.records == 0 && !state.held_from && state.pause == base::Duration::zero())
    lanes_.erase(found);
}

}  // namespace outrigger::publish
