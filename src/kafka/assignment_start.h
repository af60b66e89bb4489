// Finds where the partitions of a new assignment are read from, until that is known; where the
// group is a new one, commits its beginning first (starting_points.h).
//
// Thread: the loop's; `on_found` comes on it, once for each Find that is not cancelled. Lifetime:
// what it refers to outlives it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kafka/commit_requests.h"
#include "kafka/consumer_client.h"
#include "kafka/consumer_health.h"
#include "kafka/starting_points.h"

namespace outrigger::kafka {

class AssignmentStart {
 public:
  using OnFound = std::function<void(std::vector<StartingPoint>)>;

  AssignmentStart(ConsumerClient& client, ConsumerHealth& health, CommitRequests& commits,
                  const ConsumerOptions& options);

  // Replaces the search under way.
  void Find(std::vector<TopicPartition> at, OnFound on_found);
  void Cancel();

  // For the side thread: it is told of the cluster once that answers.
  const std::shared_ptr<GroupStart>& group_start() const { return group_start_; }

 private:
  void Ask();
  void OnAnswer(base::Result<StartingPoints> answer);
  void AskAgain(const std::string& why);
  void CommitBeginning(StartingPoints found);
  void Finish(std::vector<StartingPoint> points);

  ConsumerClient& client_;
  ConsumerHealth& health_;
  CommitRequests& commits_;
  const std::string group_;
  const std::shared_ptr<GroupStart> group_start_;  // the side thread's
  uint64_t search_ = 0;
  std::vector<TopicPartition> at_;
  base::TimePoint since_;
  OnFound on_found_;
  base::Timer again_;
};

}  // namespace outrigger::kafka
