#include "deliver/dead_letters.h"

#include <algorithm>
#include <utility>

#include "deliver/assigned_partition.h"

namespace outrigger::deliver {
namespace {

constexpr std::chrono::seconds kWriteAgain{1}, kLongestAgain{30};

std::string Where(const kafka::Consumed& record) {
  return record.topic + "/" + std::to_string(record.partition) + " at " +
         std::to_string(record.offset);
}

}  // namespace

std::string AndMore(std::string first, size_t count) {
  if (count > 1) first += " (and " + std::to_string(count - 1) + " more)";
  return first;
}

DeadLetters::DeadLetters(base::Loop& loop, const config::Subscription& config,
                         const kafka::RecordSink& sink, Backlog& backlog, Hooks hooks)
    : loop_(loop),
      config_(config),
      sink_(sink),
      backlog_(backlog),
      hooks_(std::move(hooks)),
      calls_(loop) {}

bool DeadLetters::LeavesInTopic(const kafka::Consumed& record, bool failed) {
  const uint64_t generation = event::Generation(record.headers);
  if (config_.dead_letter.empty() || generation + (failed ? 1 : 0) <= kMaxGeneration) return false;
  if (uint64_t held_back; left_log_.Allow(loop_.Now(), held_back)) {
    telemetry::Log(
        telemetry::Level::kError,
        "a record has been a dead-letter record too often: it stays in its topic, and is "
        "neither delivered nor written again",
        {{"subscription", config_.name},
         {"topic", record.topic},
         {"partition", std::to_string(record.partition)},
         {"offset", std::to_string(record.offset)},
         {"generation", std::to_string(generation)},
         {"held_back", std::to_string(held_back)}});
  }
  return true;
}

void DeadLetters::Write(Delivery& delivery, event::DeadLetterDetail detail) {
  const bool tried = delivery.first_tried != base::WallTime{};
  Failure failure;
  failure.reason = ReasonOf(delivery.verdict);
  failure.status = delivery.verdict.status;
  failure.body = delivery.answer.empty() ? delivery.verdict.detail : delivery.answer;
  failure.attempts = tried ? delivery.home->offsets.attempts(delivery.offset) + 1 : 0;
  failure.last = loop_.Wall();
  failure.first = tried ? delivery.first_tried : failure.last;
  failure.subscription = config_.name;
  ++writing_;
  sink_.send(ToDeadLetter(delivery.record(), failure, config_.dead_letter, detail),
             calls_.WhileAlive(
                 [this, id = delivery.id, detail](const kafka::Report& report, event::Record&) {
                   --writing_;
                   Delivery* found = hooks_.find(id);
                   if (!found) return;  // revoked meanwhile: its dead-letter record may come twice
                   if (report) return hooks_.on_written(*found);
                   OnRefused(*found, detail, report.error());
                   hooks_.on_changed();
                 }));
}

void DeadLetters::OnRefused(Delivery& delivery, event::DeadLetterDetail detail,
                            const kafka::Refusal& refusal) {
  const bool too_large = refusal.reason == kafka::Reason::kTooLarge;
  if (too_large && detail != event::DeadLetterDetail::kGeneration)
    return Write(delivery, static_cast<event::DeadLetterDetail>(static_cast<int>(detail) + 1));
  MoveOutOfBacklog(delivery);
  Stuck& stuck = stuck_[delivery.id];
  stuck.why = "the dead letter topic " + config_.dead_letter + " does not take event " +
              delivery.event->id + " of " + Where(delivery.record()) +
              ", which holds its key: " + refusal.error.message;
  if (too_large)
    stuck.why +=
        "; raise the topic's max.message.bytes to at least that of " + delivery.record().topic;
  const auto wait = std::min(kWriteAgain * (1 << std::min(stuck.refused++, 5U)), kLongestAgain);
  stuck.again = loop_.After(wait, [this, id = delivery.id] {
    if (Delivery* again = hooks_.find(id)) Write(*again, event::DeadLetterDetail::kWhole);
  });
}

// It is not delivered any more: its record is all that is needed. The bound of the backlog is for
// what the app gets; what is stuck has one of its own.
void DeadLetters::MoveOutOfBacklog(Delivery& delivery) {
  if (!delivery.waits) return;
  backlog_.Remove(delivery);
  if (delivery.fetched->holders == 0) delivery.fetched->DropEvents();
  SubscribedPartition& home = delivery.partition();
  backlog_.SetStuck(home, home.stuck_bytes + delivery.record().bytes());
}

void DeadLetters::Hold(const Delivery& delivery) {
  const std::string& id = delivery.event->id;
  stuck_[delivery.id].why = "event " + (id.empty() ? id : id + " ") + "of " +
                            Where(delivery.record()) + " can't be delivered (" +
                            delivery.verdict.detail +
                            ") and holds its key; name a deadLetter topic, or mend the handler";
}

void DeadLetters::AddCauses(telemetry::Causes& causes) const {
  if (stuck_.empty()) return;
  causes.Add(telemetry::Status::kFalse, "Stuck",
             AndMore(stuck_.begin()->second.why, stuck_.size()));
}

}  // namespace outrigger::deliver
