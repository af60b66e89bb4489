#include "cli/answer.h"

#include <nlohmann/json.hpp>
#include <ostream>

namespace outrigger::cli {
namespace {

nlohmann::json ToJson(const config::Problem& problem) {
  return {{"severity", problem.severity == config::Problem::Severity::kError ? "error" : "warning"},
          {"file", problem.place.file},
          {"line", problem.place.line},
          {"column", problem.place.column},
          {"path", problem.path},
          {"message", problem.message},
          {"hint", problem.hint}};
}

}  // namespace

void PrintError(const base::Error& error, bool as_json, Console& console) {
  if (as_json) {
    console.out << nlohmann::json{{"error", error.message}, {"hint", error.hint}}.dump() << "\n";
    return;
  }
  console.err << "outrigger: " << error.message << "\n";
  if (!error.hint.empty()) console.err << "  " << error.hint << "\n";
}

void PrintAsJson(const std::vector<config::Problem>& problems, Console& console) {
  auto list = nlohmann::json::array();
  for (const auto& problem : problems) list.push_back(ToJson(problem));
  console.out << list.dump(2) << "\n";
}

}  // namespace outrigger::cli
