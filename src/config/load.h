// A YAML file and the environment → Config, with every problem found in one go.
//
// Thread: any; takes up to 200 ms for 10,000 routes, so never on a flow's thread. Promise: hostile
// YAML (bombs, self-aliases, deep nesting, bad UTF-8, duplicate keys, more documents) is a Problem,
// never a crash or a hang.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/problem.h"

namespace outrigger::config {

// Like getenv, so that tests can bring their own environment.
using Environment = std::function<std::optional<std::string>(const char* name)>;
Environment ProcessEnvironment();

struct Loaded {
  Config config;  // to be used only when no problem is an error
  std::vector<Problem> problems;

  bool ok() const { return !HasErrors(problems); }
};

// `file` empty: the built-in defaults. Relative paths inside a file are relative to the file's
// folder.
Loaded Load(const std::string& file, const Environment& environment);

// The same from text; `name` is the file's name in problems, and gives its folder.
Loaded LoadText(std::string_view yaml, const std::string& name, const Environment& environment);

// The JSON Schema (draft 7) of the config file, for editors.
std::string JsonSchema();

}  // namespace outrigger::config
