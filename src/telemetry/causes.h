// Everything that keeps something from being as it should, as one condition.
//
// Pure: made from what holds at the moment, so that no cause outlives its end and none hides
// another. Thread: its owner's.
#pragma once

#include <string>
#include <vector>

#include "telemetry/conditions.h"

namespace outrigger::telemetry {

class Causes {
 public:
  // The one that explains the most first.
  void Add(Status status, std::string reason, std::string message);

  // The gravest status (False, then Unknown, then True) with the reason of its first cause. Of a
  // condition that is not True the message lists every cause that is not True, each after its
  // reason where there are several. Of one that is True it lists all.
  Condition Together() const;

 private:
  std::vector<Condition> causes_;
};

}  // namespace outrigger::telemetry
