// The command line: what each command reads, prints and returns. What only app can do is handed in.
//
// Exit codes: 0 done; 1 the answer is no (problems in a config, a publish refused); 2 the call was
// wrong. Thread: main's.
#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "config/load.h"

namespace outrigger::cli {

// What the commands touch of the outside, so that tests bring their own.
struct Console {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  config::Environment environment;
};

// Runs the sidecar with that config file ("": the built-in defaults) and returns the exit code.
using RunCommand = std::function<int(const std::string& config_file)>;
// What a start would be refused for that needs Kafka's client to tell.
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
