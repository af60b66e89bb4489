// What /status says of a subscription: everything that holds, each as long as it does.
#include "deliver/subscription.h"

namespace outrigger::deliver {
namespace {

using kafka::Trouble;
using telemetry::Causes;
using telemetry::Status;

const char* ReasonOf(Trouble trouble) {
  switch (trouble) {
    case Trouble::kFenced:
      return "Fenced";
    case Trouble::kTopicMissing:
      return "TopicMissing";
    case Trouble::kNotJoined:
      return "NotJoined";
    case Trouble::kNotFetching:
      return "NotFetching";
    default:
      return "KafkaRefuses";
  }
}

// The first of `count`, which stands for all.
std::string AndMore(std::string first, size_t count) {
  if (count > 1) first += " (and " + std::to_string(count - 1) + " more)";
  return first;
}

}  // namespace

void Subscription::ShowState() {
  series_.circuit_open.Set(circuit_.open() ? 1 : 0);
  Causes causes;
  if (stop_by_) {
    causes.Add(Status::kFalse, telemetry::kShuttingDown,
               "nothing new is delivered; what the app is working on is waited for");
  } else {
    AddAppCauses(causes);
    AddKafkaCauses(causes);
    AddCommitCauses(causes);
  }
  telemetry::Condition shown = causes.Together();
  parts_.conditions.Set("Delivering/" + config_.name, shown.status, std::move(shown.reason),
                        std::move(shown.message));
}

void Subscription::AddAppCauses(Causes& causes) const {
  if (circuit_.state() == AppCircuit::State::kDown)
    causes.Add(Status::kFalse, "AppDown", http::Name(app_) + " can't be reached or is unhealthy");
  if (circuit_.state() == AppCircuit::State::kHalfDown)
    causes.Add(Status::kFalse, "AppHalfDown",
               "the app fails for every key; it is tried one event at a time");
  if (!stuck_.empty())
    causes.Add(Status::kFalse, "Stuck", AndMore(stuck_.begin()->second, stuck_.size()));
}

void Subscription::AddKafkaCauses(Causes& causes) const {
  const bool connected = consumer_ && consumer_->connection().connected;
  if (!connected) {
    const std::string why = consumer_ ? consumer_->connection().last_error : std::string();
    causes.Add(Status::kUnknown, "Connecting", why.empty() ? "looking for Kafka" : why);
  }
  const auto troubles =
      consumer_ ? consumer_->troubles().all() : std::vector<kafka::Troubles::Entry>();
  for (size_t i = 0; i < troubles.size();) {
    const auto& [trouble, where, text] = troubles[i];
    size_t count = 0;
    while (i < troubles.size() && troubles[i].trouble == trouble) ++count, ++i;
    // Where a partition goes on can't be known while Kafka is away, which is told already.
    if (!connected && trouble == Trouble::kPosition) continue;
    std::string what = text;
    if (trouble == Trouble::kFetchRefused) what.insert(0, ": ").insert(0, where);
    causes.Add(Status::kFalse, ReasonOf(trouble), AndMore(std::move(what), count));
  }
  if (!connected || !troubles.empty()) return;
  if (!consumer_->joined()) {
    causes.Add(Status::kUnknown, "Joining",
               "group " + config_.group + " has not shared its partitions out yet");
  } else if (partitions_.empty()) {
    causes.Add(Status::kTrue, "Delivering",
               "no partition of its own: other members of group " + config_.group + " have them");
  } else {
    causes.Add(Status::kTrue, "Delivering", std::to_string(partitions_.size()) + " partitions");
  }
}

void Subscription::AddCommitCauses(Causes& causes) const {
  std::string first;
  size_t count = 0;
  for (const auto& [number, partition] : partitions_) {
    if (partition->commit_refused.empty()) continue;
    if (++count == 1) first = partition->at.text() + ": " + partition->commit_refused;
  }
  if (count > 0)
    causes.Add(Status::kFalse, "CommitsRefused",
               "offsets of group " + config_.group + " are not committed (" +
                   AndMore(std::move(first), count) +
                   "): delivery goes on, but after a restart its events come again");
  if (const auto now = loop_.Now(); metadata_limit_.reduced(now))
    causes.Add(Status::kTrue, "Delivering",
               "the broker takes only " + std::to_string(metadata_limit_.bytes(now)) +
                   " bytes of metadata with an offset, so after a restart more events come again; "
                   "raise offset.metadata.max.bytes to its default, 4096");
}

}  // namespace outrigger::deliver
