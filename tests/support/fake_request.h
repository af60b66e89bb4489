// A request without a connection: what the handler did to it is there to be looked at.
#pragma once

#include <optional>

#include "http/request.h"

namespace outrigger::test {

class FakeRequest : public http::Request {
 public:
  void Answer(http::Response response) override { answer = std::move(response); }
  http::Head& mutable_head() { return head_; }
  bool ReserveAnswer(uint64_t bytes) override {
    if (bytes > room) return false;
    reserved = bytes;
    return true;
  }
  std::string AnswersLimit() const override { return "http.maxAnswers"; }
  void Pause() override { paused = true; }
  void Resume() override { paused = false; }

  bool paused = false;
  uint64_t room = UINT64_MAX;
  uint64_t reserved = 0;
  std::optional<http::Response> answer;
};

}  // namespace outrigger::test
