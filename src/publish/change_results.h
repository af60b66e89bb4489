// What became of records that somebody moves or drops by hand, as the API and the command line tell
// it.
//
// Plain values. Source: src/publish/README.md, "The spool".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace outrigger::publish {

enum class Change { kRequeue, kDrop, kDropQuarantined };

struct ChangeResult {
  int64_t id = 0;
  int64_t now = 0;      // its id after a requeue
  std::string refused;  // why it was not done; empty: it was

  static ChangeResult Done(int64_t id, int64_t now = 0) { return {id, now, {}}; }
  // The disk has no such record.
  static ChangeResult NotThere(int64_t id, Change change);
};

// {"results":[{"id":1,"status":"requeued","now":7},{"id":2,"status":"refused","detail":…}]}
std::string ToJson(const std::vector<ChangeResult>& results, Change change);

}  // namespace outrigger::publish
