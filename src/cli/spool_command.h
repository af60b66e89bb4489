// `outrigger spool`: what waits in a spool and what is in its quarantine; requeue and drop.
//
// Thread: main's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/spool_access.h"

namespace CLI {
class App;
}

namespace outrigger::cli {

struct SpoolOptions {
  SpoolPlace place;
  std::string action;  // list, show, export, requeue, drop
  bool quarantine = false;
  std::string topic;
  int64_t after = 0;
  int64_t limit = 100;
  std::string id;    // to show: that of an event, or of a record
  std::string file;  // to export to; empty: standard output
  std::vector<int64_t> ids;
  bool all = false;
  bool yes = false;
  bool from_spool = false;
};

// `config` and `output` are the options of all commands.
CLI::App* AddSpool(CLI::App& app, SpoolOptions& options, std::string& config, std::string& output);

int Spool(const SpoolOptions& options, bool as_json, Console& console);

}  // namespace outrigger::cli
