// Thread: the server's loop. Lifetime: the handler's, see request.h.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "http/connection.h"
#include "http/problem.h"

namespace outrigger::http {

// A request as the handler holds it. It keeps its connection alive and answers 500 when it is
// dropped unanswered.
class Connection::ServedRequest : public Request {
 public:
  explicit ServedRequest(std::shared_ptr<Connection> connection)
      : connection_(std::move(connection)) {}

  ~ServedRequest() override {
    if (!connection_) return;
    Problem problem;
    problem.detail = "the request was dropped without an answer; this is a bug";
    connection_->Answer(*this, problem.ToResponse());
  }

  void Answer(Response response) override {
    if (const auto connection = std::exchange(connection_, nullptr))
      connection->Answer(*this, std::move(response));
  }
  bool ReserveAnswer(uint64_t bytes) override {
    return connection_ && connection_->answering_ == this && connection_->answer_.Reserve(bytes);
  }
  std::string AnswersLimit() const override {
    if (!connection_) return {};
    const Limits& limits = connection_->owner_->limits;
    return limits.FieldOf(limits.answers_limit);
  }
  void Pause() override {
    if (connection_ && connection_->answering_ == this) connection_->SetPaused(true);
  }
  void Resume() override {
    if (connection_ && connection_->answering_ == this) connection_->SetPaused(false);
  }

  void Forget() { connection_.reset(); }
  Head& mutable_head() { return head_; }
  std::string& head_bytes() { return head_bytes_; }

 private:
  std::shared_ptr<Connection> connection_;  // until answered
  std::string head_bytes_;                  // what the fields view
};

}  // namespace outrigger::http
