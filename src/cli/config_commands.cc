#include "cli/config_commands.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <ostream>

#include "base/text.h"
#include "cli/answer.h"
#include "config/diff.h"
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

nlohmann::ordered_json ParsedOrNull(const std::string& json) {
  return json.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json::parse(json);
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

int Diff(const std::string& old_file, const std::string& new_file, bool as_json, Console& console) {
  if (old_file == "-" && new_file == "-") {
    PrintError(
        base::Error::Invalid("both configs can't be standard input", "name a file for one of them"),
        as_json, console);
    return 2;
  }
  std::array<config::Loaded, 2> both = {LoadConfig(old_file, console),
                                        LoadConfig(new_file, console)};
  for (const auto& loaded : both) {
    if (loaded.ok()) continue;
    PrintError(base::Error::Invalid(loaded.config.file + ": " + Totals(loaded.problems),
                                    "a reload would refuse it; `outrigger check` lists the errors"),
               as_json, console, loaded.problems);
    return 1;
  }
  const auto differences = config::Diff(both[0].config, both[1].config);
  if (as_json) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const auto& each : differences)
      list.push_back({{"path", each.path},
                      {"before", ParsedOrNull(each.before)},
                      {"after", ParsedOrNull(each.after)},
                      {"effect", each.effect},
                      {"atNextStart", each.at_next_start}});
    console.out << list.dump(2) << "\n";
    return 0;
  }
  for (const auto& each : differences)
    console.out << each.path << ": " << (each.before.empty() ? "none" : each.before) << " -> "
                << (each.after.empty() ? "none" : each.after) << "\n    " << each.effect << "\n";
  if (differences.empty()) console.out << "no difference\n";
  return 0;
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
