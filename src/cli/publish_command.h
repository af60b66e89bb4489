// `outrigger publish`: one event, or a stream of them from standard input, to a running sidecar.
#pragma once

#include <string>

#include "cli/commands.h"
#include "cli/options.h"

namespace outrigger::cli {

struct PublishOptions {
  std::string type;
  std::string data;  // JSON; "-": each line of standard input is the data of one event
  std::string key, id, subject, version;
  SidecarOptions sidecar;
};

int Publish(const PublishOptions& options, bool as_json, Console& console);

}  // namespace outrigger::cli
