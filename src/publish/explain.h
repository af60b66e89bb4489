// What Outrigger would do with an event, and why; without a Kafka. For `outrigger check` and
// `outrigger explain`.
//
// Thread: any. Nothing is sent.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "config/problem.h"

namespace outrigger::publish {

// Compiles every rule and loads every schema of `config`; what is wrong, with places.
std::vector<config::Problem> Check(const config::Config& config);

// Which rules take the event, with topic, key, headers and schema, and why the others don't.
// `event_json` is the body of a POST /v1/events: Outrigger's envelope, or a structured CloudEvent
// (it has `specversion`).
struct Explanation {
  std::string text;       // for people, or JSON
  bool accepted = false;  // a rule takes it, and nothing refuses it
};
base::Result<Explanation> Explain(const config::Config& config, std::string_view event_json,
                                  bool as_json);

}  // namespace outrigger::publish
