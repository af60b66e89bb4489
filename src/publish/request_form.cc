#include "publish/request_form.h"

#include "base/fail_point.h"
#include "http/problem.h"
#include "publish/answer.h"

namespace outrigger::publish {

void ShowPreference(const Ask& ask, http::Response& response) {
  if (ask.async && response.status == 202)
    response.headers.emplace_back("Preference-Applied", "respond-async");
}

OnDecided AnswerTo(const std::shared_ptr<http::Request>& request, const Ask& ask) {
  return [request, async = ask.async](const Outcome& outcome) {
    base::Reach(base::FailPoint::kAnswerApp);
    http::Response response = ToResponse(outcome);
    ShowPreference({.async = async}, response);
    request->Answer(std::move(response));
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
