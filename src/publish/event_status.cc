#include "publish/event_status.h"

#include <string>
#include <utility>

#include "http/problem.h"
#include "publish/answer.h"
#include "publish/endpoint.h"

namespace outrigger::publish {
namespace {

http::Response StatusAnswer(const Outcome& outcome) {
  if (outcome.rejection) return ToResponse(outcome);
  if (outcome.targets.empty()) {
    http::Problem problem;
    problem.status = 404;
    problem.id = outcome.id;
    problem.detail =
        "nothing is known of an event with this id: it was not accepted here, or it was "
        "acknowledged some time ago";
    return problem.ToResponse();
  }
  http::Response response;
  AppendJson(response.body, outcome);
  return response;
}

}  // namespace

void EventStatus::OnBody(const std::shared_ptr<http::Request>& request) {
  const std::string id(kStatusEndpoint.Argument(request->head().path));
  publisher_.Find(id,
                  [request](const Outcome& outcome) { request->Answer(StatusAnswer(outcome)); });
}

}  // namespace outrigger::publish
