// Whether anybody listens at an endpoint: a connection is opened and closed, nothing is sent.
//
// Thread: the loop's. Lifetime: the Loop outlives it; destroying it calls nobody back.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/loop.h"
#include "http/endpoint.h"

namespace outrigger::http {

class Reachable {
 public:
  Reachable(base::Loop& loop, Endpoint endpoint);
  ~Reachable();

  // `on_answer` comes once, later: empty when somebody took the connection within `at_most`, else
  // why not. One question at a time; a new one replaces the old.
  void Ask(std::chrono::milliseconds at_most, std::function<void(std::string why_not)> on_answer);

 private:
  struct Try;

  base::Loop& loop_;
  Endpoint endpoint_;
  std::shared_ptr<Try> try_;
  base::Timer deadline_;
};

}  // namespace outrigger::http
