#include "publish/request_form.h"

#include "base/fail_point.h"
#include "http/problem.h"
#include "publish/answer.h"

namespace outrigger::publish {

OnDecided AnswerTo(const std::shared_ptr<http::Request>& request) {
  return [request](const Outcome& outcome) {
    base::Reach(base::FailPoint::kAnswerApp);
    request->Answer(ToResponse(outcome));
  };
}

bool Intake::Admit(double events, http::Request& request) const {
  if (rate.Take(events, loop.Now())) return true;
  http::Problem problem;
  problem.status = 429;
  problem.limit = "http.rate";
  problem.detail = "more events than http.rate allows";
  problem.retry_after = 1 + static_cast<int>(rate.Wait(loop.Now()) / std::chrono::seconds(1));
  request.Answer(problem.ToResponse());
  return false;
}

void Intake::RefuseUnread(const base::Error& error,
                          const std::shared_ptr<http::Request>& request) const {
  publisher.RefuseUnread({.reason = RejectionReason::kMalformed, .detail = error.message},
                         AnswerTo(request));
}

}  // namespace outrigger::publish
