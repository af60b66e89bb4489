#include "publish/spool_requests.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>
#include <vector>

#include "http/problem.h"
#include "publish/answer.h"
#include "publish/endpoint.h"
#include "publish/query.h"
#include "publish/record_list.h"

namespace outrigger::publish {
namespace {

using SharedRequest = SpoolRequests::SharedRequest;
using Ids = ManualChanges::Ids;

void Refuse(const SharedRequest& request, int status, std::string detail) {
  http::Problem problem;
  problem.status = status;
  problem.detail = std::move(detail);
  if (status == 503) problem.retry_after = kRetryAfterSeconds;
  request->Answer(problem.ToResponse());
}

void RefuseFor(const SharedRequest& request, const base::Error& error) {
  Refuse(request, 503, "the spool can't be used: " + error.message);
}

void NoRoom(const SharedRequest& request) {
  http::Problem problem;
  problem.status = 503;
  problem.detail = "the answers of all requests have no room for this one";
  problem.limit = request->AnswersLimit();
  problem.retry_after = kRetryAfterSeconds;
  request->Answer(problem.ToResponse());
}

// Beside what was read, which is held until the answer is made.
ReserveList ReserveIn(const SharedRequest& request) {
  return [request](uint64_t bytes) { return request->ReserveAnswer(kListBytes + bytes); };
}

void Answer(const SharedRequest& request, std::optional<std::string> list) {
  if (!list) return NoRoom(request);
  http::Response response;
  response.body = std::move(*list);
  request->Answer(std::move(response));
}

// {"ids":[1,2]}
base::Result<Ids> ReadIds(event::JsonReader& json, std::string_view body) {
  constexpr char kForm[] = "the body is {\"ids\":[…]}, the ids of the records as GET shows them";
  const auto members = json.Members(body);
  if (!members) return base::Fail(members.error());
  if (members->size() != 1 || members->front().name != "ids")
    return base::Fail(base::Error::Invalid(kForm));
  const std::string list(members->front().raw);
  const auto items = json.Items(list, kListRecords);
  if (!items) return base::Fail(items.error());
  Ids ids;
  for (const std::string_view item : *items) {
    const char* end = item.data() + item.size();
    const auto [stop, error] = std::from_chars(item.data(), end, ids.emplace_back());
    if (error != std::errc() || stop != end || ids.back() < 1)
      return base::Fail(base::Error::Invalid(kForm));
  }
  return ids;
}

}  // namespace

void SpoolRequests::OnBody(const SharedRequest& request) {
  if (request->endpoint == kSpoolEndpoint.pattern) return List(request, false);
  if (request->endpoint == kQuarantineEndpoint.pattern) return List(request, true);
  if (request->endpoint == kSpoolEventEndpoint.pattern) return Find(request);
  ApplyChange(request);
}

void SpoolRequests::List(const SharedRequest& request, bool quarantined) {
  int64_t after = 0;
  int64_t limit = kListRecords;
  for (const auto& read : {ReadNumber<int64_t>(request->head(), "after", 0, "", after),
                           ReadNumber<int64_t>(request->head(), "limit", 1, "", limit)})
    if (!read) return Refuse(request, 400, read.error().message);
  const auto rows = std::min(static_cast<size_t>(limit), kListRecords);
  if (!request->ReserveAnswer(kListBytes)) return NoRoom(request);
  const std::string* topic = request->head().Query("topic");
  const auto answer = [request, topic = topic ? *topic : std::string()](auto page) {
    if (!page) return RefuseFor(request, page.error());
    auto list = ListJson(std::move(*page), topic, ReserveIn(request));
    // So that a command can tell whose spool it is.
    if (list) list->insert(1, "\"process\":" + std::to_string(getpid()) + ",");
    Answer(request, std::move(list));
  };
  if (quarantined) return spool_.store().ListQuarantine(after, rows, kListBytes, answer);
  spool_.store().Read(after, rows, kListBytes, answer);
}

void SpoolRequests::Find(const SharedRequest& request) {
  const std::string id(kSpoolEventEndpoint.Argument(request->head().path));
  spool_.store().Find(id, [request](base::Result<store::Store::Found> found) {
    if (!found) return RefuseFor(request, found.error());
    Answer(request, ListJson(std::move(*found), ReserveIn(request)));
  });
}

void SpoolRequests::ApplyChange(const SharedRequest& request) {
  auto ids = ReadIds(json_, request->body());
  if (!ids) return Refuse(request, 400, ids.error().message);
  const Change change = request->endpoint == kRequeueEndpoint.pattern ? Change::kRequeue
                        : request->endpoint == kDropEndpoint.pattern  ? Change::kDrop
                                                                      : Change::kDropQuarantined;
  spool_.changes().Apply(change, std::move(*ids), [request, change](const auto& results) {
    if (!results) return RefuseFor(request, results.error());
    Answer(request, ToJson(*results, change));
  });
}

}  // namespace outrigger::publish
