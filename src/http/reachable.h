// Whether an endpoint accepts connections: one is opened and closed, and nothing is sent.
//
// Thread: the loop's. Lifetime: the Loop outlives it; destroying it makes no callback.
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

  // `on_answer` is called once, later: empty when a connection was accepted within `at_most`, else
  // with the reason. One question at a time; a new one replaces the old one.
  void Ask(std::chrono::milliseconds at_most, std::function<void(std::string why_not)> on_answer);

 private:
  struct Try;

  base::Loop& loop_;
  Endpoint endpoint_;
  std::shared_ptr<Try> try_;
  base::Timer deadline_;
};

}  // namespace outrigger::http
