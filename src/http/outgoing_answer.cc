#include "http/outgoing_answer.h"

#include <utility>

#include "http/answer_text.h"
#include "http/problem.h"

namespace outrigger::http {
namespace {

// What is sent instead of an answer that has no room: its code is what counts.
Response WithoutDetails(Response response, const Limits& limits) {
  Problem problem;
  problem.status = response.status;
  problem.limit = limits.FieldOf(limits.answers_limit);
  problem.detail = "the answer's details were left out: too many answers wait to be read";
  Response brief = problem.ToResponse();
  brief.headers = std::move(response.headers);
  return brief;
}

}  // namespace

void OutgoingAnswer::Make(Response response, const std::string& date, std::string_view connection,
                          bool head_only) {
  assert(text_.empty());
  // It may be larger than what was reserved for it.
  if (!head_only && !share_.Hold(response.body.size()))
    response = WithoutDetails(std::move(response), limits_);
  AppendAnswer(response, date, connection, head_only, text_);
}

void OutgoingAnswer::Clear() {
  share_.Release();
  text_.clear();
  sent_ = 0;
  if (text_.capacity() > kKept) text_ = std::string();
}

}  // namespace outrigger::http
