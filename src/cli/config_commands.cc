#include "cli/config_commands.h"

#include <algorithm>
#include <ostream>

#include "base/text.h"
#include "cli/answer.h"
#include "publish/explain.h"

namespace outrigger::cli {
namespace {

std::string Totals(const std::vector<config::Problem>& problems) {
  const auto errors = static_cast<size_t>(
      std::count_if(problems.begin(), problems.end(), [](const config::Problem& problem) {
        return problem.severity == config::Problem::Severity::kError;
      }));
  return base::Counted(errors, "error") + ", " + base::Counted(problems.size() - errors, "warning");
}

// Several parts may report the same problem of a field.
void AddNew(std::vector<config::Problem>&& more, std::vector<config::Problem>& problems) {
  for (auto& problem : more) {
    const auto same = [&](const config::Problem& known) {
      return known.path == problem.path && known.message == problem.message;
    };
    if (std::none_of(problems.begin(), problems.end(), same))
      problems.push_back(std::move(problem));
  }
}

}  // namespace

int Check(const std::string& file, bool as_json, const CheckClients& check_clients,
          Console& console) {
  config::Loaded loaded = LoadConfig(file, console);
  AddNew(publish::Check(loaded.config), loaded.problems);
  AddNew(check_clients(loaded), loaded.problems);
  if (as_json) {
    PrintAsJson(loaded.problems, console);
  } else {
    for (const auto& problem : loaded.problems) console.out << problem.text() << "\n";
    console.out << loaded.config.file << ": "
                << (loaded.problems.empty()
                        ? "ok, " + base::Counted(loaded.config.routes.size(), "route")
                        : Totals(loaded.problems))
                << "\n";
  }
  return loaded.ok() ? 0 : 1;
}

int Explain(const std::string& event_file, const std::string& config_file, bool as_json,
            Console& console) {
  if (event_file == "-" && config_file == "-") {
    PrintError(base::Error::Invalid("the event and the config can't both be standard input",
                                    "name a file for one of them"),
               as_json, console);
    return 2;
  }
  const auto event = ReadInput(event_file, console);
  if (!event) {
    PrintError(event.error(), as_json, console);
    return 2;
  }
  const config::Loaded loaded = LoadConfig(config_file, console);
  if (!loaded.ok()) {
    PrintError(base::Error::Invalid(loaded.config.file + ": " + Totals(loaded.problems),
                                    "an event can be explained when the config has no errors"),
               as_json, console, loaded.problems);
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
