#include "publish/raw_record.h"

#include <utility>

#include "base/json_text.h"
#include "event/match.h"
#include "http/problem.h"
#include "publish/endpoint.h"
#include "publish/prepare.h"
#include "publish/query.h"

namespace outrigger::publish {
namespace {

base::Failure Wrong(std::string what) { return base::Fail(base::Error::Invalid(std::move(what))); }

// Kafka distinguishes a null value, which deletes its key in a compacted topic, from an empty one.
base::Result<void> ReadValue(http::Request& request, event::Record& record) {
  const std::string* tombstone = request.head().Query("tombstone");
  if (tombstone && *tombstone != "true" && *tombstone != "false")
    return Wrong("?tombstone= is true or false, not \"" + base::Excerpt(*tombstone) + "\"");
  if (!tombstone || *tombstone == "false") {
    record.value = std::move(request.body());
  } else if (!request.body().empty()) {
    return Wrong("?tombstone=true is a null value, and the request has a body");
  }
  return {};
}

}  // namespace

base::Result<event::Record> ReadRawRecord(http::Request& request, std::string topic,
                                          const Ask& ask) {
  const http::Head& head = request.head();
  if (const std::string wrong = TopicNameProblem(topic); !wrong.empty())
    return Wrong("\"" + base::Excerpt(topic) + "\": " + wrong);
  event::Record record;
  record.topic = std::move(topic);
  if (const std::string* key = head.Query("key")) record.key = *key;
  if (auto read = ReadNumber(head, "partition", 0, "", record.partition); !read)
    return base::Fail(read.error());
  if (auto read =
          ReadNumber<int64_t>(head, "timestamp", 1, " of milliseconds", record.timestamp_ms);
      !read)
    return base::Fail(read.error());
  if (auto read = ReadValue(request, record); !read) return base::Fail(read.error());
  ask.Complete(record);
  const std::string_view type = head.Find("content-type");
  if (!type.empty() && !event::HasHeader(record.headers, "content-type"))
    record.headers.push_back({"content-type", std::string(type)});
  return record;
}

const std::string* AllowingGlob(const std::vector<std::string>& globs, std::string_view topic) {
  for (const auto& glob : globs)
    if (event::GlobMatches(glob, topic)) return &glob;
  return nullptr;
}

std::string RawTopicNotAllowed(const std::string& topic) {
  return "http.rawTopics does not allow raw records to " + base::Excerpt(topic);
}

void RawRecordForm::OnBody(const std::shared_ptr<http::Request>& request) {
  if (!intake_.Admit(1, *request)) return;
  const http::Head& head = request->head();
  const Ask ask = *ReadAsk(head, true, intake_.spool);
  auto record = ReadRawRecord(*request, std::string(kTopicEndpoint.Argument(head.path)), ask);
  if (!record) return intake_.RefuseUnread(record.error(), request);
  // They may have changed since the head was read.
  const std::string* label = AllowingGlob(globs_, record->topic);
  if (!label) {
    http::Problem problem;
    problem.status = 404;
    problem.detail = RawTopicNotAllowed(record->topic);
    return request->Answer(problem.ToResponse());
  }
  intake_.publisher.PublishRaw(std::move(*record), *label, ask, AnswerTo(request, ask));
}

}  // namespace outrigger::publish
