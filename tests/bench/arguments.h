// `--name value` pairs of a benchmark program; a name that nobody asked for is an error.
#pragma once

#include <cstdlib>
#include <map>
#include <set>
#include <stdexcept>
#include <string>

namespace outrigger::bench {

class Arguments {
 public:
  // `argv` behind the mode. `flags` are the names that take no value.
  Arguments(int argc, char** argv, const std::set<std::string>& flags) {
    for (int i = 0; i < argc; ++i) {
      const std::string name = argv[i];
      if (!name.starts_with("--")) throw std::invalid_argument("unexpected argument " + name);
      if (flags.contains(name.substr(2))) {
        given_[name.substr(2)] = "yes";
      } else if (i + 1 < argc) {
        given_[name.substr(2)] = argv[++i];
      } else {
        throw std::invalid_argument(name + " needs a value");
      }
    }
  }

  std::string Text(const std::string& name, const std::string& fallback = {}) {
    asked_.insert(name);
    const auto found = given_.find(name);
    return found == given_.end() ? fallback : found->second;
  }

  double Number(const std::string& name, double fallback) {
    const std::string text = Text(name);
    if (text.empty()) return fallback;
    char* end = nullptr;
    const double number = std::strtod(text.c_str(), &end);
    if (*end != '\0' || number < 0)
      throw std::invalid_argument("--" + name + " is " + text + ", not a number");
    return number;
  }

  uint64_t Count(const std::string& name, uint64_t fallback) {
    return static_cast<uint64_t>(Number(name, static_cast<double>(fallback)));
  }

  bool Flag(const std::string& name) { return !Text(name).empty(); }

  // Called when all known names were asked for.
  void RefuseUnknown() const {
    for (const auto& [name, value] : given_)
      if (!asked_.contains(name)) throw std::invalid_argument("unknown option --" + name);
  }

 private:
  std::map<std::string, std::string> given_;
  std::set<std::string> asked_;
};

}  // namespace outrigger::bench
