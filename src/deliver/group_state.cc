#include "deliver/group_state.h"

#include <utility>

#include "deliver/dead_letters.h"

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

}  // namespace

void AddKafkaCauses(const kafka::Consumer* consumer, const std::string& group, size_t partitions,
                    Causes& causes) {
  const bool connected = consumer && consumer->connection().connected;
  if (!connected) {
    const std::string why = consumer ? consumer->connection().last_error : std::string();
    causes.Add(Status::kUnknown, "Connecting", why.empty() ? "looking for Kafka" : why);
  }
  const auto troubles =
      consumer ? consumer->troubles().all() : std::vector<kafka::Troubles::Entry>();
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
  if (!consumer->joined()) {
    causes.Add(Status::kUnknown, "Joining",
               "group " + group + " has not shared its partitions out yet");
  } else if (partitions == 0) {
    causes.Add(Status::kTrue, "Delivering",
               "no partition of its own: other members of group " + group + " have them");
  } else {
    causes.Add(Status::kTrue, "Delivering", std::to_string(partitions) + " partitions");
  }
}

void ShowLost(telemetry::Conditions& conditions, const std::string& subscription,
              const kafka::Reset& reset) {
  std::string reason = "Deleted";
  std::string message = reset.at.text() + ": ";
  if (reset.reason == kafka::ResetReason::kDeleted) {
    message += "the records from offset " + std::to_string(reset.from) + " to " +
               std::to_string(reset.to - 1) +
               " were deleted before they were fetched; is the topic's retention shorter than the "
               "app was away?";
  } else {
    const bool truncated = reset.reason == kafka::ResetReason::kTruncated;
    reason = truncated ? "Truncated" : "TopicDeleted";
    message += truncated ? "the log was cut below offset " : "the topic was deleted when offset ";
    message += std::to_string(reset.from) + (truncated ? "; " : " was next; ");
    if (reset.lost > 0)
      message += "at least " + std::to_string(reset.lost) + " records had not been fetched; ";
    message += "the topic is read from its beginning";
  }
  conditions.Set("RecordsLost/" + subscription, Status::kTrue, std::move(reason),
                 std::move(message));
}

}  // namespace outrigger::deliver
