// Where a command finds the records of a spool: in the file of a stopped sidecar, or by asking a
// running one.
//
// Answers are the JSON of src/publish/README.md, "The spool by hand". Thread: main's; calls block.
// Lifetime: the file of a stopped sidecar stays locked until the end. Errors say what to do.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "publish/change_results.h"

namespace outrigger::cli {

struct ListAsk {
  bool quarantine = false;
  int64_t after = 0;
  size_t limit = 0;
  std::string topic = {};
};

class SpoolAccess {
 public:
  virtual ~SpoolAccess() = default;

  virtual base::Result<std::string> List(const ListAsk& ask) = 0;
  virtual base::Result<std::string> Find(const std::string& event_id) = 0;
  // At most publish::kListRecords ids.
  virtual base::Result<std::string> Apply(publish::Change change,
                                          const std::vector<int64_t>& ids) = 0;
};

// What says which spool.
struct SpoolPlace {
  std::string path;    // empty: spool.path of the config
  std::string config;  // the file; as for every command
  SidecarOptions sidecar;
};

base::Result<std::unique_ptr<SpoolAccess>> OpenSpool(const SpoolPlace& place, Console& console);

}  // namespace outrigger::cli
