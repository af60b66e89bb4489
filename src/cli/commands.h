// The command line: what each command reads, prints and returns. `run` is passed in by app.
//
// Exit codes: 0 success; 1 failure (problems in a config, a publish refused); 2 usage error.
// Thread: main's.
#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "config/load.h"

namespace outrigger::cli {

// What the commands use of the outside, so that tests can replace it.
struct Console {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  config::Environment environment;
};

// Runs the sidecar with that config file ("": the built-in defaults) and returns the exit code.
using RunCommand = std::function<int(const std::string& config_file)>;
// The checks that need the client of Kafka.
using CheckClients = std::function<std::vector<config::Problem>(const config::Loaded& loaded)>;

int Main(int argc, const char* const* argv, Console& console, const RunCommand& run,
         const CheckClients& check_clients);

// The file to use when `given` is empty: $OUTRIGGER_CONFIG, else /etc/outrigger/outrigger.yaml when
// it is there, else "".
std::string ConfigFile(const std::string& given, const config::Environment& environment);

// "0.2.0", and the commit that it was built from.
std::string Version();
std::string Commit();

}  // namespace outrigger::cli
