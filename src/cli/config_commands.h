// `outrigger check`, `outrigger diff` and `outrigger explain`: what a config says, without a Kafka.
#pragma once

#include <string>

#include "cli/commands.h"

namespace outrigger::cli {

int Check(const std::string& file, bool as_json, const CheckClients& check_clients,
          Console& console);

// What a reload from one to the other would do.
int Diff(const std::string& old_file, const std::string& new_file, bool as_json, Console& console);

// "-" is standard input, for either file.
int Explain(const std::string& event_file, const std::string& config_file, bool as_json,
            Console& console);

}  // namespace outrigger::cli
