// The commits of a group's offsets: when, with how much metadata, and what follows from Kafka's
// answers.
//
// One commit of a partition is under way at a time. What Kafka refuses is committed again, after a
// wait; meanwhile attempts are counted in memory, so that nothing is held up by it.
//
// Thread: the loop's. Lifetime: the Assignment outlives it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/loop.h"
#include "deliver/assignment.h"
#include "deliver/metadata_limit.h"
#include "kafka/consumer.h"
#include "telemetry/causes.h"
#include "telemetry/log.h"

namespace outrigger::deliver {

class OffsetCommits {
 public:
  struct Parts {
    base::Loop& loop;
    const Assignment& assignment;
    std::string group;
    base::Duration interval;
    std::function<void(std::vector<kafka::Consumer::Offset>, kafka::Consumer::OnCommitted)> send;
    // A partition has its answer; `gone`: Kafka says that it is somebody else's.
    std::function<void(AssignedPartition&, bool gone)> on_answer;
    std::function<void()> on_refused;  // counted by the metrics
    std::function<void()> on_changed;  // what AddCauses says
    // All answers of a commit are seen to: what was counted may go.
    std::function<void()> on_answered;
  };

  explicit OffsetCommits(Parts parts) : parts_(std::move(parts)) {}

  void SetInterval(base::Duration interval) { parts_.interval = interval; }
  // Within the interval.
  void Later();
  // Now, of this partition alone.
  void Send(AssignedPartition& partition) { Send(std::vector{Begin(partition)}); }
  // A coordinator that does not answer at all holds no retry up for ever.
  void Measure();

  void AddCauses(telemetry::Causes& causes) const;

 private:
  void Commit();
  kafka::Consumer::Offset Begin(AssignedPartition& partition);
  void Send(std::vector<kafka::Consumer::Offset> offsets);
  void OnCommitted(const kafka::CommitResult& result);
  void OnRefused(AssignedPartition& partition, const kafka::CommitResult& result,
                 const AssignedPartition::Commit& commit);

  Parts parts_;
  MetadataLimit metadata_limit_;
  telemetry::LogLimit log_;
  base::Timer commit_;
};

// The next tries of events whose counts need not be waited for go; those of `versions` only, where
// they are given.
void LetRetriesGo(AssignedPartition& partition, const std::vector<uint64_t>* versions = nullptr);

}  // namespace outrigger::deliver
