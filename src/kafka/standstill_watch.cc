#include "kafka/standstill_watch.h"

#include "kafka/cluster_questions.h"

namespace outrigger::kafka {
namespace {

constexpr std::chrono::seconds kAskEnds{3};

std::string Seconds(base::Duration time) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time).count()) + " s";
}

std::string TextOf(const FetchWatchdog::Stalled& stalled) {
  const auto& [at, epoch, position, end] = stalled.seen;
  return "nothing of " + at.text() + " was fetched for " + Seconds(stalled.since) +
         ": it is read from offset " + std::to_string(position) + " on, and Kafka has it up to " +
         std::to_string(end);
}

}  // namespace

StandstillWatch::StandstillWatch(ConsumerClient& client, ConsumerHealth& health,
                                 HeldPartitions& held, std::string group, Events events)
    : client_(client),
      health_(health),
      held_(held),
      group_(std::move(group)),
      events_(std::move(events)) {}

void StandstillWatch::Beat() {
  const base::TimePoint now = client_.Now();
  const State state = events_.state();
  watchdog_.LookAtGroup(health_.connected() && !state.joined && !health_.refused() &&
                            state.passing_records && !client_.handle()->group().JoinAwaited(),
                        now);
  if (const auto since = watchdog_.not_joined(now)) {
    const std::string why = "group " + group_ + " has not taken this member in for " +
                            Seconds(*since) + ", although Kafka answers";
    health_.Begin(Trouble::kNotJoined, {}, why);
    return events_.on_standstill(why);
  }
  if (!state.active || held_.empty() || !health_.connected() || !client_.Due(pace_)) return;
  std::vector<TopicPartition> at;
  for (const auto& [each, held] : held_) at.push_back(each);
  client_.Ask(
      pace_, kAskEnds,
      [at = std::move(at)](ConsumerHandle& handle) { return FindEnds(handle.rk(), at); },
      [this](const std::vector<std::pair<TopicPartition, int64_t>>& ends) { OnEnds(ends); });
}

void StandstillWatch::OnEnds(const std::vector<std::pair<TopicPartition, int64_t>>& ends) {
  std::vector<FetchWatchdog::Seen> seen;
  for (const auto& [at, end] : ends) {
    HeldPartition* held = held_.Find(at);
    if (!held) continue;
    if (held->paused) {
      held->paused_end = end;  // nothing is fetched that would tell how far behind we are
    } else if (held->phase == HeldPartition::Phase::kReading &&
               !health_.troubles().holds(Trouble::kFetchRefused, at.text())) {
      seen.push_back({at, held->epoch, held->next, end});
    }
  }
  if (!events_.state().passing_records) seen.clear();
  Judge(seen);
}

void StandstillWatch::Judge(const std::vector<FetchWatchdog::Seen>& seen) {
  const base::TimePoint now = client_.Now();
  watchdog_.Look(seen, now);
  const auto stalled = watchdog_.stalled(now);
  for (const auto& each : stalled)
    health_.Begin(Trouble::kNotFetching, each.seen.at.text(), TextOf(each));
  if (health_.troubles().holds(Trouble::kNotFetching))
    for (const auto& [trouble, where, text] : health_.troubles().all())
      if (trouble == Trouble::kNotFetching && !watchdog_.stands_still(where, now))
        health_.End(trouble, where);
  if (!stalled.empty()) events_.on_standstill(TextOf(stalled.front()));
}

void StandstillWatch::OnRenewed() {
  watchdog_.Renewed(std::uniform_real_distribution<double>()(random_), client_.Now());
}

}  // namespace outrigger::kafka
