#include "publish/ingress.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/json_text.h"
#include "event/cloudevents.h"
#include "http/problem.h"
#include "publish/batch.h"
#include "publish/event_status.h"
#include "publish/ndjson.h"
#include "publish/query.h"
#include "publish/raw_record.h"
#include "publish/rejection.h"
#include "publish/single_event.h"
#include "publish/spool_requests.h"

namespace outrigger::publish {
namespace {

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

http::Plan MethodNotAllowed(const http::Head& head, std::string_view methods) {
  const std::string allow(methods);
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

// In Kafka such a content type says that the value is a whole event: it may not name data.
bool IsWholeCloudEvent(const std::string& media_type) {
  return media_type.starts_with("application/cloudevents");
}

// The same time for every wrong token of one length.
bool SameToken(std::string_view given, std::string_view token) {
  if (given.size() != token.size()) return false;
  unsigned char difference = 0;
  for (size_t i = 0; i < token.size(); ++i)
    difference = static_cast<unsigned char>(difference | (given[i] ^ token[i]));
  return difference == 0;
}

bool IsNdjson(const std::string& media_type) {
  return media_type == "application/x-ndjson" || media_type == "application/ndjson" ||
         media_type == "application/jsonl";
}

// GET /health/kafka.
class HealthForm : public RequestForm {
 public:
  explicit HealthForm(std::function<std::string()> body) : body_(std::move(body)) {}

  void OnBody(const std::shared_ptr<http::Request>& request) override {
    http::Response response;
    response.body = body_();
    request->Answer(std::move(response));
  }

 private:
  const std::function<std::string()> body_;
};

}  // namespace

const std::array<Ingress::Entry, 11> Ingress::kEntries{{
    {kEventsEndpoint, &Ingress::ChooseEvents},
    {kTypeEndpoint, &Ingress::ChooseType},
    {kStatusEndpoint, &Ingress::ChooseStatus},
    {kTopicEndpoint, &Ingress::ChooseTopic},
    {kSpoolEndpoint, &Ingress::ChooseSpool},
    {kSpoolEventEndpoint, &Ingress::ChooseSpool},
    {kDropEndpoint, &Ingress::ChooseSpool},
    {kQuarantineEndpoint, &Ingress::ChooseSpool},
    {kRequeueEndpoint, &Ingress::ChooseSpool},
    {kDropQuarantinedEndpoint, &Ingress::ChooseSpool},
    {kHealthEndpoint, &Ingress::ChooseHealth},
}};

Ingress::Ingress(base::Loop& loop, Publisher& publisher, Spool* spool, telemetry::Metrics& metrics,
                 std::function<std::string()> kafka_health, IngressOptions options)
    : loop_(loop),
      publisher_(publisher),
      metrics_(metrics),
      health_(std::make_shared<HealthForm>(std::move(kafka_health))),
      status_(std::make_shared<EventStatus>(publisher)),
      spool_(spool ? std::make_shared<SpoolRequests>(*spool, publisher.json()) : nullptr),
      envelope_(std::make_shared<SingleEvent>(intake(), ReadEnvelope)),
      structured_(std::make_shared<SingleEvent>(intake(), ReadStructured)),
      binary_(std::make_shared<SingleEvent>(intake(), ReadBinary)),
      typed_(std::make_shared<SingleEvent>(intake(), ReadTyped)),
      batch_(std::make_shared<BatchForm>(intake())),
      raw_(std::make_shared<RawRecordForm>(intake(), options_.raw_topics)) {
  SetOptions(std::move(options));
}

void Ingress::SetOptions(IngressOptions options) {
  options_ = std::move(options);
  rate_.Set(options_.rate, loop_.Now());
}

http::Handler Ingress::handler() {
  http::Handler handler;
  handler.on_head = [this](const auto& request) { return OnHead(request); };
  handler.on_request = [](const auto& request) { request->body_reader->OnBody(request); };
  handler.on_refused = [this](const http::Request&, const http::Problem& problem) {
    if (problem.status == 413)
      publisher_.RefuseUnread({.reason = RejectionReason::kTooLarge}, [](const Outcome&) {});
  };
  handler.on_answered = [this](std::string_view endpoint, int status) {
    metrics_.HttpRequests(endpoint, status).Increment();
  };
  return handler;
}

http::Plan Ingress::OnHead(const std::shared_ptr<http::Request>& request) {
  const http::Head& head = request->head();
  if (head.path == "*") return Options();
  const Entry* entry = nullptr;
  std::string methods;  // that the path takes
  for (const Entry& each : kEntries) {
    if (!each.endpoint.Matches(head.path)) continue;
    methods.append(methods.empty() ? "" : ", ").append(each.endpoint.allow);
    if (!entry || each.endpoint.Takes(head.method)) entry = &each;
  }
  if (!entry) {
    return Refuse(404,
                  "not found: " + base::Excerpt(head.path) +
                      "; events go to POST /v1/events, /v1/events/{type} or /v1/topics/{topic}");
  }
  request->endpoint = entry->endpoint.pattern;
  if (!entry->endpoint.Takes(head.method)) return MethodNotAllowed(head, methods);
  return (this->*entry->choose)(request);
}

std::optional<http::Plan> Ingress::CheckToken(const http::Head& head) const {
  if (options_.token.empty() || SameToken(BearerToken(head.Find("authorization")), options_.token))
    return std::nullopt;
  http::Plan plan =
      Refuse(401, "this sidecar requires Authorization: Bearer <token> (http.tokenFile)");
  plan.refuse->headers.emplace_back("WWW-Authenticate", "Bearer");
  return plan;
}

tl::expected<Ask, http::Plan> Ingress::CheckPost(const http::Head& head,
                                                 const Endpoint& endpoint) const {
  if (auto refused = CheckToken(head)) return tl::unexpected(std::move(*refused));
  if (!head.content_length && !head.chunked) {
    // The end of such a body is unknown: treated as empty, its event would be lost.
    http::Plan plan = Refuse(411,
                             "a POST must state the length of its body: Content-Length, 0 for no "
                             "body, or Transfer-Encoding: chunked");
    plan.refuse->close = true;
    return tl::unexpected(std::move(plan));
  }
  if (const auto query = CheckQuery(head, endpoint); !query)
    return tl::unexpected(Refuse(400, query.error().message));
  auto ask = ReadAsk(head, endpoint.raw, spool_ != nullptr);
  if (!ask) return tl::unexpected(Refuse(400, ask.error().message));
  return std::move(*ask);
}

http::Plan Ingress::ChooseHealth(const std::shared_ptr<http::Request>& request) {
  request->body_reader = health_;
  return {};
}

http::Plan Ingress::ChooseStatus(const std::shared_ptr<http::Request>& request) {
  if (auto refused = CheckToken(request->head())) return std::move(*refused);
  request->body_reader = status_;
  return {};
}

http::Plan Ingress::ChooseSpool(const std::shared_ptr<http::Request>& request) {
  const http::Head& head = request->head();
  if (auto refused = CheckToken(head)) return std::move(*refused);
  if (!spool_) return Refuse(404, "this sidecar has no spool: spool.path is not set");
  // No page of a browser may send this type without asking first.
  if (head.method == "POST" && event::MediaType(head.Find("content-type")) != "application/json")
    return WrongType("application/json", "the ids of records come as application/json");
  for (const Entry& entry : kEntries)
    if (entry.endpoint.pattern == request->endpoint)
      if (const auto query = CheckQuery(head, entry.endpoint); !query)
        return Refuse(400, query.error().message);
  request->body_reader = spool_;
  return {};
}

http::Plan Ingress::ChooseType(const std::shared_ptr<http::Request>& request) {
  const http::Head& head = request->head();
  if (auto ask = CheckPost(head, kTypeEndpoint); !ask) return std::move(ask.error());
  if (IsWholeCloudEvent(event::MediaType(head.Find("content-type")))) {
    return WrongType(
        "*/*",
        "POST /v1/events/{type} takes the data alone; a whole CloudEvent, or a batch of them, goes "
        "to POST /v1/events");
  }
  request->body_reader = typed_;
  return {};
}

http::Plan Ingress::ChooseTopic(const std::shared_ptr<http::Request>& request) {
  const http::Head& head = request->head();
  if (auto ask = CheckPost(head, kTopicEndpoint); !ask) return std::move(ask.error());
  const std::string_view topic = kTopicEndpoint.Argument(head.path);
  if (!AllowingGlob(options_.raw_topics, topic))
    return Refuse(404, RawTopicNotAllowed(std::string(topic)), "http.rawTopics");
  request->body_reader = raw_;
  return {};
}

http::Plan Ingress::ChooseEvents(const std::shared_ptr<http::Request>& request) {
  const http::Head& head = request->head();
  auto ask = CheckPost(head, kEventsEndpoint);
  if (!ask) return std::move(ask.error());
  const std::string media = event::MediaType(head.Find("content-type"));
  const bool binary =
      !IsWholeCloudEvent(media) &&
      std::any_of(head.fields.begin(), head.fields.end(),
                  [](const http::Field& field) { return field.name.starts_with("ce-"); });
  const bool batch = media == "application/cloudevents-batch+json";
  const bool stream = !binary && IsNdjson(media);
  if ((batch || stream) && !ask->id.empty()) {
    return Refuse(400,
                  "Idempotency-Key names one event; in a batch or a stream each event has an id of "
                  "its own");
  }
  if (stream) return ChooseNdjson(request, std::move(*ask));
  http::Plan plan;
  if (media == "application/cloudevents+json") {
    request->body_reader = structured_;
  } else if (batch) {
    request->body_reader = batch_;
    plan.max_body = kBatchBodies * options_.max_body;
  } else if (binary) {
    request->body_reader = binary_;
  } else if (media.empty() || (event::IsJson(media) && !IsWholeCloudEvent(media))) {
    request->body_reader = envelope_;
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

http::Plan Ingress::ChooseNdjson(const std::shared_ptr<http::Request>& request, Ask ask) {
  auto stream = std::make_shared<NdjsonStream>(loop_, publisher_, rate_, busy_streams_,
                                               options_.max_body, request, std::move(ask));
  request->body_reader = stream;
  http::Plan plan;
  plan.timeout_restarts = true;
  plan.on_chunk = [stream](std::string_view chunk) { return stream->OnChunk(chunk); };
  plan.on_abort = [stream] { stream->OnAbort(); };
  return plan;
}

}  // namespace outrigger::publish
