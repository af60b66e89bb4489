#include "deliver/offset_commits.h"

#include <utility>

#include "deliver/subscription.h"

namespace outrigger::deliver {
namespace {

constexpr auto kAnswers = std::chrono::seconds(5);  // a coordinator, with the result of a commit
// One commit is one batch of records of __consumer_offsets, which takes a MiB.
constexpr size_t kMostCommitted = 256 << 10;
constexpr size_t kOffsetBytes = 256;

}  // namespace

void LetRetriesGo(AssignedPartition& partition, const std::vector<uint64_t>* versions) {
  for (size_t i = 0; i < partition.parts().size(); ++i) {
    SubscribedPartition& part = *partition.parts()[i];
    if (part.awaiting_commit.empty()) continue;
    part.subscription->OnCommitted(part, versions ? (*versions)[i] : part.offsets.version());
  }
}

void OffsetCommits::Later() {
  if (commit_.armed()) return;
  commit_ = parts_.loop.After(parts_.interval, [this] { Commit(); });
}

void OffsetCommits::Commit() {
  std::vector<kafka::Consumer::Offset> offsets;
  size_t bytes = 0;
  for (const auto& [number, partition] : parts_.assignment.all()) {
    if (!partition->dirty() || partition->committing() || partition->revoked() ||
        partition->retired() || partition->committable() < 0)
      continue;
    if (!partition->MayCommit(parts_.loop.Now())) {
      Later();
      continue;
    }
    offsets.push_back(Begin(*partition));
    bytes += kOffsetBytes + offsets.back().metadata.size();
    if (bytes < kMostCommitted) continue;
    Send(std::exchange(offsets, {}));
    bytes = 0;
  }
  if (!offsets.empty()) Send(std::move(offsets));
}

kafka::Consumer::Offset OffsetCommits::Begin(AssignedPartition& partition) {
  const base::TimePoint now = parts_.loop.Now();
  return partition.BeginCommit(metadata_limit_.bytes(now), now);
}

void OffsetCommits::Send(std::vector<kafka::Consumer::Offset> offsets) {
  parts_.send(std::move(offsets), [this](const std::vector<kafka::CommitResult>& results) {
    for (const auto& result : results) OnCommitted(result);
    parts_.on_answered();
  });
}

void OffsetCommits::OnCommitted(const kafka::CommitResult& result) {
  AssignedPartition* partition = parts_.assignment.Find(result.epoch);
  if (!partition) return;
  const auto commit = partition->EndCommit();
  if (!commit) return;
  if (result.taken()) {
    if (partition->OnTaken(*commit)) parts_.on_changed();
    LetRetriesGo(*partition, &commit->versions);
  } else {
    OnRefused(*partition, result, *commit);
  }
  parts_.on_answer(*partition, result.refusal == kafka::CommitRefusal::kNotMember);
}

void OffsetCommits::OnRefused(AssignedPartition& partition, const kafka::CommitResult& result,
                              const AssignedPartition::Commit& commit) {
  using kafka::CommitRefusal;
  const base::TimePoint now = parts_.loop.Now();
  parts_.on_refused();
  if (uint64_t held_back; log_.Allow(now, held_back)) {
    telemetry::Log(telemetry::Level::kWarn, "Kafka did not take the offset of a partition",
                   {{"group", parts_.group},
                    {"partition", result.at.text()},
                    {"error", result.why},
                    {"hint", kafka::HintOf(result.refusal)},
                    {"metadata_bytes", std::to_string(commit.metadata)},
                    {"held_back", std::to_string(held_back)}});
  }
  if (result.refusal == CommitRefusal::kMetadataTooLarge &&
      metadata_limit_.Refused(commit.metadata, now))
    return parts_.on_changed();  // again at once, with less
  partition.CommitLater(now);
  if (result.refusal == CommitRefusal::kNotMember) return;  // its revocation follows
  // Attempts are counted in memory meanwhile: what Kafka does not take must not hold events up.
  LetRetriesGo(partition);
  // What passes by itself is told when it does not.
  if (result.refusal == CommitRefusal::kPassing && partition.patient()) return;
  const std::string hint = kafka::HintOf(result.refusal);
  partition.SetRefused(hint.empty() ? result.why : result.why + "; " + hint);
  parts_.on_changed();
}

void OffsetCommits::Measure() {
  for (const auto& [number, partition] : parts_.assignment.all())
    if (const auto& commit = partition->commit();
        commit && parts_.loop.Now() - commit->since > kAnswers)
      LetRetriesGo(*partition);
}

void OffsetCommits::AddCauses(telemetry::Causes& causes) const {
  using telemetry::Status;
  std::string first;
  size_t count = 0;
  for (const auto& [number, partition] : parts_.assignment.all()) {
    if (partition->commit_refused().empty()) continue;
    if (++count == 1) first = partition->at().text() + ": " + partition->commit_refused();
  }
  if (count > 0)
    causes.Add(Status::kFalse, "CommitsRefused",
               "offsets of group " + parts_.group + " are not committed (" +
                   AndMore(std::move(first), count) +
                   "): delivery goes on, but after a restart its events come again");
  if (const auto now = parts_.loop.Now(); metadata_limit_.reduced(now))
    causes.Add(Status::kTrue, "Delivering",
               "the broker takes only " + std::to_string(metadata_limit_.bytes(now)) +
                   " bytes of metadata with an offset, so after a restart more events come again; "
                   "raise offset.metadata.max.bytes to its default, 4096");
}

}  // namespace outrigger::deliver
