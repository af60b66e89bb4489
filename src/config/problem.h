// What is wrong in a file, and where.
#pragma once

#include <string>
#include <vector>

namespace outrigger::config {

// Line and column count from 1; 0 means the file as a whole (or the environment).
struct Place {
  std::string file;
  int line = 0;
  int column = 0;

  std::string text() const {
    return line == 0 ? file : file + ":" + std::to_string(line) + ":" + std::to_string(column);
  }
};

// A text of the config that is compiled later (glob, template, path), with its place for the error.
struct Text {
  std::string value;
  Place place;
  std::string path;  // "routes[3].topic"

  // Its place is not part of what it says.
  bool operator==(const Text& other) const { return value == other.value; }
};

struct Problem {
  enum class Severity { kError, kWarning };

  Place place;
  std::string path;     // "routes[3].topic"
  std::string message;  // what is wrong
  std::string hint;     // what to do: the nearest known name, the accepted form
  Severity severity = Severity::kError;

  // "rules.yaml:12:5: routes[3].topic: … (did you mean …?)"
  std::string text() const {
    std::string out = place.text() + ": ";
    if (severity == Severity::kWarning) out += "warning: ";
    if (!path.empty()) out += path + ": ";
    out += message;
    if (!hint.empty()) out += " (" + hint + ")";
    // Names come from the file unchanged: control characters must not reach a terminal or a log.
    for (char& c : out)
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    return out;
  }
};

inline bool HasErrors(const std::vector<Problem>& problems) {
  for (const auto& problem : problems)
    if (problem.severity == Problem::Severity::kError) return true;
  return false;
}

}  // namespace outrigger::config
