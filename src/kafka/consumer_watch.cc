// What should come and does not: the troubles that hold, the questions to the cluster that end
// them, and the watchdog.
#include <algorithm>

#include "kafka/consumer_core.h"

namespace outrigger::kafka {

using telemetry::Level;
using telemetry::Log;

namespace {

constexpr std::chrono::seconds kAskEnds{3};
constexpr std::chrono::seconds kAskTopics{1};
constexpr std::chrono::seconds kAskAllTopics{5};  // for an expression

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

// ---- troubles

void Consumer::Core::Begin(Trouble trouble, const std::string& where, const std::string& text) {
  if (troubles_.Begin(trouble, where, text) && handler_.on_connection)
    handler_.on_connection(connection_);
}

void Consumer::Core::End(Trouble trouble, const std::string& where) {
  if (troubles_.End(trouble, where) && handler_.on_connection) handler_.on_connection(connection_);
}

void Consumer::Core::EndAll(Trouble trouble) {
  if (troubles_.EndAll(trouble) && handler_.on_connection) handler_.on_connection(connection_);
}

// librdkafka tells of a refusal once, and nothing of its end while no record comes; but each answer
// leaves its end of the partition behind, and a refusal none.
void Consumer::Core::EndRefusedFetches() {
  if (!troubles_.holds(Trouble::kFetchRefused)) return;
  for (const auto& [at, held] : held_) {
    int64_t low = -1;
    int64_t high = -1;
    rd_kafka_get_watermark_offsets(handle_->rk(), at.topic.c_str(), at.partition, &low, &high);
    if (high >= 0) End(Trouble::kFetchRefused, at.text());
  }
}

// ---- topics

// librdkafka says that a topic is missing, but not that it has come, and nothing at all of an
// expression that no topic matches.
void Consumer::Core::AskTopics() {
  const bool troubled =
      troubles_.holds(Trouble::kTopicMissing) || troubles_.holds(Trouble::kTopicRefused);
  if (asking_topics_ || fatal_ || closing_ || (joined_ && !troubled) || !connection_.connected ||
      loop_.Now() < ask_topics_at_)
    return;
  asking_topics_ = true;
  const bool all = std::ranges::any_of(
      options_.topics, [](const std::string& topic) { return topic.starts_with('^'); });
  ask_topics_at_ = loop_.Now() + (all ? kAskAllTopics : kAskTopics);
  side_->Run([this, &loop = loop_, alive = alive_, handle = handle_, topics = options_.topics] {
    loop.Post([this, alive, found = FindTopics(handle->rk(), topics)] {
      if (!*alive) return;
      asking_topics_ = false;
      if (found && !closing_) OnTopics(*found);
    });
  });
}

void Consumer::Core::OnTopics(const std::vector<TopicState>& topics) {
  End(Trouble::kTopicMissing, {});  // what was said of no topic in particular
  End(Trouble::kTopicRefused, {});
  for (const auto& [topic, error, text] : topics) {
    const bool missing = error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    const bool refused = error == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
                         error == RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION;
    if (missing) Begin(Trouble::kTopicMissing, topic, text);
    if (refused) Begin(Trouble::kTopicRefused, topic, text);
    // A member that has nothing is waited for to be asked again: after a topic was deleted and
    // created again librdkafka may never do so.
    if (!missing && held_.empty() && troubles_.holds(Trouble::kTopicMissing, topic))
      joined_ = false;
    if (!missing) End(Trouble::kTopicMissing, topic);
    if (!refused) End(Trouble::kTopicRefused, topic);
  }
}

// ---- the watchdog

void Consumer::Core::Watch() {
  const base::TimePoint now = loop_.Now();
  const bool refused = troubles_.holds(Trouble::kGroup) ||
                       troubles_.holds(Trouble::kTopicMissing) ||
                       troubles_.holds(Trouble::kTopicRefused);
  watchdog_.LookAtGroup(connection_.connected && !joined_ && !refused && !fatal_ && polling_ &&
                            !closing_ && !handle_->group().JoinAwaited(),
                        now);
  if (const auto since = watchdog_.not_joined(now)) {
    const std::string why = "group " + options_.group + " has not taken this member in for " +
                            Seconds(*since) + ", although Kafka answers";
    Begin(Trouble::kNotJoined, {}, why);
    return Renew(why);
  }
  if (asking_ends_ || fatal_ || closing_ || held_.empty() || !connection_.connected ||
      now < ask_ends_at_)
    return;
  std::vector<TopicPartition> at;
  for (const auto& [each, held] : held_) at.push_back(each);
  asking_ends_ = true;
  side_->Run([this, &loop = loop_, alive = alive_, handle = handle_, at = std::move(at)] {
    loop.Post([this, alive, ends = FindEnds(handle->rk(), at)] {
      if (!*alive) return;
      asking_ends_ = false;
      ask_ends_at_ = loop_.Now() + kAskEnds;
      OnEnds(ends);
    });
  });
}

void Consumer::Core::OnEnds(const std::vector<std::pair<TopicPartition, int64_t>>& ends) {
  std::vector<FetchWatchdog::Seen> seen;
  for (const auto& [at, end] : ends) {
    const auto found = held_.find(at);
    if (found == held_.end()) continue;
    Held& held = found->second;
    if (paused_.contains(at)) {
      held.end = end;  // nothing is fetched that would tell how far behind we are
    } else if (!held.revoking && !held.resetting &&
               !troubles_.holds(Trouble::kFetchRefused, at.text())) {
      seen.push_back({at, held.epoch, held.next, end});
    }
  }
  // librdkafka holds all records back while a revocation waits, and so do we when nothing is
  // polled.
  if (step_ || !polling_ || fatal_ || closing_) seen.clear();
  LookAt(seen);
}

void Consumer::Core::LookAt(const std::vector<FetchWatchdog::Seen>& seen) {
  const base::TimePoint now = loop_.Now();
  watchdog_.Look(seen, now);
  const auto stalled = watchdog_.stalled(now);
  for (const auto& each : stalled) Begin(Trouble::kNotFetching, each.seen.at.text(), TextOf(each));
  if (troubles_.holds(Trouble::kNotFetching))
    for (const auto& [trouble, where, text] : troubles_.all())
      if (trouble == Trouble::kNotFetching && !watchdog_.stands_still(where, now))
        End(trouble, where);
  if (!stalled.empty()) Renew(TextOf(stalled.front()));
}

// Gives everything back as a rebalance would, and goes on with a new client: nothing is settled by
// it, and nothing that the app has is cut off before rebalance.drain.
void Consumer::Core::Renew(const std::string& why) {
  if (step_ || fatal_ || closing_) return;
  Log(Level::kError, "the Kafka consumer is at a standstill: it is made again",
      {{"group", options_.group}, {"reason", why}});
  watchdog_.Renewed(std::uniform_real_distribution<double>()(random_), loop_.Now());
  const auto all = HeldWhere(false);
  if (!all.empty()) return Settle(Step::Kind::kRenew, all, all);
  ReplaceClient(why);
}

}  // namespace outrigger::kafka
