#include "publish/ingress.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/json_text.h"
#include "event/cloudevents.h"
#include "event/data.h"
#include "event/match.h"
#include "http/problem.h"
#include "publish/answer.h"
#include "publish/batch.h"
#include "publish/ndjson.h"
#include "publish/query.h"
#include "publish/raw_record.h"

namespace outrigger::publish {
namespace {

constexpr char kEventsPath[] = "/v1/events";
constexpr char kTypePath[] = "/v1/events/{type}";
constexpr char kTopicPath[] = "/v1/topics/{topic}";
constexpr char kHealthPath[] = "/health/kafka";
constexpr uint64_t kBatchBodies = 16;

http::Plan Refuse(int status, std::string detail, std::string limit = {}) {
  http::Problem problem;
  problem.status = status;
  problem.detail = std::move(detail);
  problem.limit = std::move(limit);
  http::Plan plan;
  plan.refuse = problem.ToResponse();
  return plan;
}

http::Plan MethodNotAllowed(const http::Head& head, const std::string& allow) {
  http::Plan plan = Refuse(
      405, base::Excerpt(head.path) + " takes " + allow + ", not " + base::Excerpt(head.method));
  plan.refuse->headers.emplace_back("Allow", allow);
  return plan;
}

// OPTIONS *, which asks for what the server as a whole takes (RFC 9110 section 9.3.7).
http::Plan Options() {
  http::Plan plan;
  plan.refuse.emplace();
  plan.refuse->headers.emplace_back("Allow", "GET, HEAD, POST, OPTIONS");
  return plan;
}

// `accept`: what would be taken (RFC 9110 section 15.5.16).
http::Plan WrongType(const char* accept, std::string detail) {
  http::Plan plan = Refuse(415, std::move(detail));
  plan.refuse->headers.emplace_back("Accept", accept);
  return plan;
}

// "Bearer <token>"; the scheme has no case (RFC 9110 section 11.1).
std::string_view BearerToken(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  if (base::LowerAscii(authorization.substr(0, kScheme.size())) != kScheme) return {};
  authorization.remove_prefix(kScheme.size());
  const size_t begin = authorization.find_first_not_of(' ');
  return begin == std::string_view::npos ? std::string_view() : authorization.substr(begin);
}

Rejection Malformed(const base::Error& error) {
  return {.reason = RejectionReason::kMalformed, .detail = error.message};
}

OnDecided AnswerTo(const std::shared_ptr<http::Request>& request) {
  return [request](const Outcome& outcome) { request->Answer(ToResponse(outcome)); };
}

// In Kafka such a content type says that the value is a whole event: it may not name data.
bool IsWholeCloudEvent(const std::string& media_type) {
  return media_type.starts_with("application/cloudevents");
}

std::string NotAllowed(const std::string& topic) {
  return "http.rawTopics does not allow raw records to " + base::Excerpt(topic);
}

// The same time for every wrong token of one length.
bool SameToken(std::string_view given, std::string_view token) {
  if (given.size() != token.size()) return false;
  unsigned char difference = 0;
  for (size_t i = 0; i < token.size(); ++i)
    difference = static_cast<unsigned char>(difference | (given[i] ^ token[i]));
  return difference == 0;
}

std::vector<event::HttpField> Fields(const http::Head& head) {
  std::vector<event::HttpField> fields;
  fields.reserve(head.fields.size());
  for (const auto& field : head.fields) fields.push_back({field.name, field.value});
  return fields;
}

bool IsNdjson(const std::string& media_type) {
  return media_type == "application/x-ndjson" || media_type == "application/ndjson" ||
         media_type == "application/jsonl";
}

}  // namespace

Ingress::Ingress(base::Loop& loop, Publisher& publisher, telemetry::Metrics& metrics,
                 std::function<std::string()> kafka_health, IngressOptions options)
    : loop_(loop),
      publisher_(publisher),
      metrics_(metrics),
      kafka_health_(std::move(kafka_health)) {
  SetOptions(std::move(options));
}

void Ingress::SetOptions(IngressOptions options) {
  options_ = std::move(options);
  rate_.Set(options_.rate, loop_.Now());
}

http::Handler Ingress::handler() {
  http::Handler handler;
  handler.on_head = [this](const auto& request) { return OnHead(request); };
  handler.on_request = [this](const auto& request) { OnRequest(request); };
  handler.on_refused = [this](const http::Request&, const http::Problem& problem) {
    if (problem.status == 413)
      publisher_.RefuseUnread({.reason = RejectionReason::kTooLarge}, [](const Outcome&) {});
  };
  handler.on_answered = [this](std::string_view endpoint, int status) {
    metrics_.HttpRequests(endpoint, status).Increment();
  };
  return handler;
}

const std::string* Ingress::RawTopic(std::string_view topic) const {
  for (const auto& glob : options_.raw_topics)
    if (event::GlobMatches(glob, topic)) return &glob;
  return nullptr;
}

http::Plan Ingress::OnHead(const std::shared_ptr<http::Request>& request) {
  const http::Head& head = request->head();
  const std::string_view path = head.path;
  if (path == kHealthPath) {
    request->endpoint = kHealthPath;
    request->tag = kHealth;
    if (head.method != "GET" && head.method != "HEAD") return MethodNotAllowed(head, "GET, HEAD");
    return {};
  }
  if (path == "*") return Options();
  const bool events = path == kEventsPath;
  const bool type = path.starts_with("/v1/events/") && path.size() > 11;
  const bool topic = path.starts_with("/v1/topics/") && path.size() > 11;
  if (!events && !type && !topic) {
    return Refuse(404,
                  "not found: " + base::Excerpt(head.path) +
                      "; events go to POST /v1/events, /v1/events/{type} or /v1/topics/{topic}");
  }
  request->endpoint = events ? kEventsPath : type ? kTypePath : kTopicPath;
  if (head.method != "POST") return MethodNotAllowed(head, "POST");
  if (!options_.token.empty()) {
    if (!SameToken(BearerToken(head.Find("authorization")), options_.token)) {
      http::Plan plan =
          Refuse(401, "this sidecar requires Authorization: Bearer <token> (http.tokenFile)");
      plan.refuse->headers.emplace_back("WWW-Authenticate", "Bearer");
      return plan;
    }
  }
  if (!head.content_length && !head.chunked) {
    // The end of such a body is unknown: treated as empty, its event would be lost.
    http::Plan plan = Refuse(411,
                             "a POST must state the length of its body: Content-Length, 0 for no "
                             "body, or Transfer-Encoding: chunked");
    plan.refuse->close = true;
    return plan;
  }
  const auto query =
      events ? CheckQuery(head, kEventsPath, {"ack"})
      : type ? CheckQuery(head, kTypePath, {"key", "id", "version", "subject", "ack"})
             : CheckQuery(head, kTopicPath, {"key", "partition", "timestamp", "tombstone", "ack"});
  if (!query) return Refuse(400, query.error().message);
  auto ask = ReadAsk(head, topic);
  if (!ask) return Refuse(400, ask.error().message);
  if (events) return OnEvents(request, std::move(*ask));
  request->tag = type ? kType : kTopic;
  if (type && IsWholeCloudEvent(event::MediaType(head.Find("content-type")))) {
    return WrongType(
        "*/*",
        "POST /v1/events/{type} takes the data alone; a whole CloudEvent, or a batch of them, goes "
        "to POST /v1/events");
  }
  if (topic && !RawTopic(path.substr(11))) {
    return Refuse(404, NotAllowed(head.path.substr(11)), "http.rawTopics");
  }
  return {};
}

http::Plan Ingress::OnEvents(const std::shared_ptr<http::Request>& request, Ask ask) {
  const http::Head& head = request->head();
  const std::string media = event::MediaType(head.Find("content-type"));
  const bool binary =
      !IsWholeCloudEvent(media) &&
      std::any_of(head.fields.begin(), head.fields.end(),
                  [](const http::Field& field) { return field.name.starts_with("ce-"); });
  const bool batch = media == "application/cloudevents-batch+json";
  const bool stream = !binary && IsNdjson(media);
  if ((batch || stream) && !ask.id.empty()) {
    return Refuse(400,
                  "Idempotency-Key names one event; in a batch or a stream each event has an id of "
                  "its own");
  }
  http::Plan plan;
  if (media == "application/cloudevents+json") {
    request->tag = kStructured;
  } else if (batch) {
    request->tag = kBatch;
    plan.max_body = kBatchBodies * options_.max_body;
  } else if (binary) {
    request->tag = kBinary;
  } else if (stream) {
    request->tag = kNdjson;
    auto stream = std::make_shared<NdjsonStream>(loop_, publisher_, rate_, busy_streams_,
                                                 options_.max_body, request, std::move(ask));
    request->note = stream;
    plan.timeout_restarts = true;
    plan.on_chunk = [stream](std::string_view chunk) { return stream->OnChunk(chunk); };
    plan.on_abort = [stream] { stream->OnAbort(); };
  } else if (media.empty() || (event::IsJson(media) && !IsWholeCloudEvent(media))) {
    request->tag = kEnvelope;
  } else {
    return WrongType(
        "application/json, application/cloudevents+json, application/cloudevents-batch+json, "
        "application/x-ndjson",
        "POST /v1/events takes application/json, application/cloudevents+json, "
        "application/cloudevents-batch+json or application/x-ndjson, or any type with ce-* "
        "headers, not \"" +
            base::Excerpt(media) + "\"; data of any type goes to POST /v1/events/{type}");
  }
  return plan;
}

void Ingress::OnRequest(const std::shared_ptr<http::Request>& request) {
  const http::Head& head = request->head();
  if (request->tag == kHealth) {
    http::Response response;
    response.body = kafka_health_();
    return request->Answer(std::move(response));
  }
  if (request->tag == kNdjson)
    return std::static_pointer_cast<NdjsonStream>(request->note)->OnEnd();

  std::vector<std::string_view> items;
  if (request->tag == kBatch) {
    auto split = event::SplitBatch(publisher_.json(), request->body());
    if (!split) {
      const bool too_large = split.error().code == base::Code::kTooLarge;
      return publisher_.RefuseUnread(
          {.reason = too_large ? RejectionReason::kTooLarge : RejectionReason::kMalformed,
           .detail =
               split.error().message +
               (too_large ? ", the most that a batch may have; NDJSON takes any number" : "")},
          AnswerTo(request));
    }
    items = std::move(*split);
  }
  const double events = request->tag == kBatch ? static_cast<double>(items.size()) : 1;
  if (!rate_.Take(events, loop_.Now())) {
    http::Problem problem;
    problem.status = 429;
    problem.limit = "http.rate";
    problem.detail = "more events than http.rate allows";
    problem.retry_after = 1 + static_cast<int>(rate_.Wait(loop_.Now()) / std::chrono::seconds(1));
    return request->Answer(problem.ToResponse());
  }
  switch (request->tag) {
    case kBatch:
      return std::make_shared<Batch>(loop_, publisher_, request, std::move(items),
                                     *ReadAsk(head, false))
          ->Start();
    case kEnvelope:
      return OnEvent(request, event::FromEnvelope(publisher_.json(), request->body()));
    case kStructured:
      return OnEvent(request, event::FromStructured(publisher_.json(), request->body()));
    case kBinary:
      return OnEvent(request, ReadBinary(*request));
    case kType:
      return OnEvent(request, ReadType(*request));
    default:
      return OnTopic(request);
  }
}

base::Result<event::Event> Ingress::ReadBinary(http::Request& request) {
  const bool required = request.tag == kBinary;
  auto event = event::FromHttpBinary(Fields(request.head()), std::move(request.body()), required);
  if (!event || !event->data) return event;
  // Without a Content-Type the data is taken for JSON, as CloudEvents' own JSON format does.
  if (!required && event->datacontenttype.empty()) {
    event->datacontenttype = "application/json";
    event->data_is_json = true;
  }
  if (event->data_is_json) {
    if (auto valid = event::CheckJson(publisher_.json(), *event); !valid)
      return base::Fail(valid.error());
  }
  return event;
}

base::Result<event::Event> Ingress::ReadType(http::Request& request) {
  const http::Head& head = request.head();
  auto event = ReadBinary(request);
  if (!event) return event;
  event->type = head.path.substr(11);
  if (const std::string* key = head.Query("key")) event->key = *key;
  if (const std::string* id = head.Query("id")) event->id = *id;
  if (const std::string* version = head.Query("version")) event->version = *version;
  if (const std::string* subject = head.Query("subject")) event->subject = *subject;
  return event;
}

void Ingress::OnEvent(const std::shared_ptr<http::Request>& request,
                      base::Result<event::Event> event) {
  request->DropBody();  // the event has what it needs of it
  if (!event) return publisher_.RefuseUnread(Malformed(event.error()), AnswerTo(request));
  publisher_.Publish(std::move(*event), *ReadAsk(request->head(), false), AnswerTo(request));
}

void Ingress::OnTopic(const std::shared_ptr<http::Request>& request) {
  const http::Head& head = request->head();
  const Ask ask = *ReadAsk(head, true);
  auto record = ReadRawRecord(*request, head.path.substr(11), ask);
  if (!record) return publisher_.RefuseUnread(Malformed(record.error()), AnswerTo(request));
  const std::string* label = RawTopic(record->topic);
  if (!label) return request->Answer(*Refuse(404, NotAllowed(record->topic)).refuse);
  publisher_.PublishRaw(std::move(*record), *label, ask, AnswerTo(request));
}

}  // namespace outrigger::publish
