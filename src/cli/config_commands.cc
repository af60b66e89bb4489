#include "cli/config_commands.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <ostream>
#include <sstream>

#include "cli/answer.h"
#include "publish/explain.h"

namespace outrigger::cli {
namespace {

base::Result<std::string> ReadAll(const std::string& file, Console& console) {
  std::stringstream text;
  if (file == "-") {
    text << console.in.rdbuf();
    return text.str();
  }
  std::ifstream in(file);
  if (!in)
    return base::Fail({base::Code::kNotFound, file + " can't be read: " + std::strerror(errno),
                       "name a file with one event, or - for standard input"});
  text << in.rdbuf();
  return text.str();
}

}  // namespace

int Check(const std::string& file, bool as_json, const CheckClients& check_clients,
          Console& console) {
  config::Loaded loaded = config::Load(file, console.environment);
  if (loaded.ok()) {
    for (auto& problem : publish::Check(loaded.config))
      loaded.problems.push_back(std::move(problem));
    for (auto& problem : check_clients(loaded.config))
      loaded.problems.push_back(std::move(problem));
  }
  size_t errors = 0;
  for (const auto& problem : loaded.problems)
    if (problem.severity == config::Problem::Severity::kError) ++errors;
  if (as_json) {
    PrintAsJson(loaded.problems, console);
  } else {
    for (const auto& problem : loaded.problems) console.out << problem.text() << "\n";
    if (loaded.problems.empty()) {
      console.out << file << ": ok, " << loaded.config.routes.size() << " routes\n";
    } else {
      console.out << file << ": " << errors << " errors, " << loaded.problems.size() - errors
                  << " warnings\n";
    }
  }
  return errors == 0 ? 0 : 1;
}

int Explain(const std::string& event_file, const std::string& config_file, bool as_json,
            Console& console) {
  const auto event = ReadAll(event_file, console);
  if (!event) {
    PrintError(event.error(), as_json, console);
    return 2;
  }
  const config::Loaded loaded = config::Load(config_file, console.environment);
  if (!loaded.ok()) {
    if (as_json) PrintAsJson(loaded.problems, console);
    for (const auto& problem : loaded.problems)
      if (!as_json) console.err << problem.text() << "\n";
    return 1;
  }
  auto explanation = publish::Explain(loaded.config, *event, as_json);
  if (!explanation) {
    base::Error error = explanation.error();
    error.message = event_file + ": " + error.message;
    PrintError(error, as_json, console);
    return 1;
  }
  console.out << explanation->text;
  return explanation->accepted ? 0 : 1;
}

}  // namespace outrigger::cli
