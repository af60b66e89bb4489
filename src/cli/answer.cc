#include "cli/answer.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <ostream>
#include <sstream>

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

nlohmann::json ToJson(const std::vector<config::Problem>& problems) {
  auto list = nlohmann::json::array();
  for (const auto& problem : problems) list.push_back(ToJson(problem));
  return list;
}

}  // namespace

void PrintError(const base::Error& error, bool as_json, Console& console,
                const std::vector<config::Problem>& problems) {
  if (as_json) {
    nlohmann::json answer = {{"error", error.message}, {"hint", error.hint}};
    if (!problems.empty()) answer["problems"] = ToJson(problems);
    console.out << answer.dump() << "\n";
    return;
  }
  for (const auto& problem : problems) console.err << problem.text() << "\n";
  console.err << "outrigger: " << error.message << "\n";
  if (!error.hint.empty()) console.err << "  " << error.hint << "\n";
}

void PrintAsJson(const std::vector<config::Problem>& problems, Console& console) {
  console.out << ToJson(problems).dump(2) << "\n";
}

base::Result<std::string> ReadInput(const std::string& file, Console& console) {
  std::stringstream text;
  if (file == "-") {
    text << console.in.rdbuf();
    return text.str();
  }
  std::ifstream in(file);
  if (!in)
    return base::Fail({base::Code::kNotFound, file + " can't be read: " + std::strerror(errno),
                       "name a file, or - for standard input"});
  text << in.rdbuf();
  return text.str();
}

config::Loaded LoadConfig(const std::string& file, Console& console) {
  if (file != "-") return config::Load(file, console.environment);
  return config::LoadText(*ReadInput(file, console), kStandardInput, console.environment);
}

}  // namespace outrigger::cli
