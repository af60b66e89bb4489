#include "config/field.h"

namespace outrigger::config {
namespace {

constexpr Millis kInstant{1};
constexpr Millis kHour{3'600'000};
constexpr size_t kUnixPath = 107;  // sun_path with its end

std::optional<base::Error> CheckListen(const std::string& text) {
  const auto listen = ParseListen(text);
  if (!listen) return listen.error();
  return std::nullopt;
}

void ReadUnixSocket(std::string& value, const Spot& spot, Reading& reading) {
  if (!ReadText(value, spot, {}, reading)) return;
  value = reading.Resolve(value);
  if (value.size() > kUnixPath)
    reading.Error(spot, "is longer than the 107 bytes of a Unix socket's path",
                  "choose a shorter one");
}

void CheckHttp(Http& http, const Spot& spot, Reading& reading) {
  if (http.max_bodies < http.max_body)
    reading.Error(spot.At(spot.Has("maxBodies") ? "maxBodies" : "maxBody"),
                  "http.maxBodies is smaller than http.maxBody: an event of the largest size could "
                  "not be read",
                  "give maxBodies room for several");
  const auto listen = ParseListen(http.listen);
  if (listen && !listen->loopback)
    reading.Warn(spot.At("listen"), "other machines can reach the publish port at " + http.listen,
                 http.token_file.empty() ? "listen on 127.0.0.1, or set `tokenFile`"
                                         : "the port is meant for the app in the same pod");
}

void CheckRate(Rate& rate, const Spot& spot, Reading&) {
  if (!spot.Has("burst")) rate.burst = rate.events;
}

const Mapping<Rate>& RateFields() {
  static const Mapping<Rate> fields = {
      .fields = {Number("events", &Rate::events, 0, 1e9, "Events per second.").Required(),
                 Number("burst", &Rate::burst, 0, 1e9,
                        "Events at once after a pause. Default: as `events`.")},
      .check = CheckRate};
  return fields;
}

void ReadRate(std::optional<Rate>& value, const Spot& spot, Reading& reading) {
  RateFields().Read(value.emplace(), spot, reading);
}

}  // namespace

Json Shown(const std::optional<Rate>& value) { return value ? RateFields().Show(*value) : Json(); }

Field<Config> HttpField() {
  return Object(
      "http", &Config::http, "The port that the app publishes to.",
      Mapping<Http>{
          .fields =
              {
                  TextField("listen", &Http::listen,
                            "Address and port. Another address than loopback is a warning.",
                            CheckListen)
                      .Also(ListenSchema()),
                  ScalarField("unixSocket", &Http::unix_socket,
                              "A Unix socket to listen on as well.", TextSchema(), ReadUnixSocket),
                  FileField("tokenFile", &Http::token_file,
                            "A file with the bearer token that requests to publish must have "
                            "(`Authorization: Bearer …`). Default: no token is required."),
                  Size("maxBody", &Http::max_body, 1, 256 << 20,
                       "The largest event or NDJSON line. A batch may have 16 times as much, and "
                       "16,384 events."),
                  Size("maxBodies", &Http::max_bodies, 1 << 20, uint64_t{64} << 30,
                       "Memory for all request bodies that are being read, not counting the first "
                       "16 KiB of each. Above it requests are answered 503. At most a quarter of "
                       "`memory.budget`."),
                  Size("maxAnswers", &Http::max_answers, 1 << 20, uint64_t{64} << 30,
                       "Memory for all answers that are made or not yet read by the app, not "
                       "counting the first 16 KiB of each. A batch that has no room for its answer "
                       "is answered 503 before any of it is published. At most an eighth of "
                       "`memory.budget`."),
                  Size("maxHeader", &Http::max_header, 256, 1 << 20, "The largest request head."),
                  Size("maxTrailer", &Http::max_trailer, 0, 1 << 20,
                       "The largest size of chunk extensions and trailers together."),
                  Whole("maxConnections", &Http::max_connections, 1, 65536,
                        "Connections at once. Above it the connection that has been idle for "
                        "longest is closed; where none is idle, the new one is answered 503. Fewer "
                        "are accepted where the process may open few files. The ops port has 64 of "
                        "its own."),
                  Duration("headTimeout", &Http::head_timeout, kInstant, kHour,
                           "How long the head of a request may take. Time in which the process was "
                           "stopped does not count, here and below."),
                  Duration("bodyTimeout", &Http::body_timeout, kInstant, kHour,
                           "How long the body of a request may take, and the reading of its "
                           "answer. With NDJSON it counts from the last progress."),
                  Duration("idleTimeout", &Http::idle_timeout, kInstant, 24 * kHour,
                           "How long a connection may wait for its next request."),
                  Duration("ackTimeout", &Http::ack_timeout, kInstant, kHour,
                           "How long Kafka may take to acknowledge an event before it is answered "
                           "503 with the outcome `unknown`."),
                  ScalarField("rate", &Http::rate,
                              "The rate above which events are answered 429. Default: no limit.",
                              RateFields().Schema(), ReadRate),
                  Texts("rawTopics", &Http::raw_topics,
                        "Globs of the topics that `POST /v1/topics/{topic}` may write to."),
              },
          .check = CheckHttp});
}

Field<Config> OpsField() {
  return Object(
      "ops", &Config::ops, "The read-only port for probes, Prometheus and people.",
      Mapping<Ops>{
          .fields = {TextField("listen", &Ops::listen,
                               "Address and port. Where the machine has no IPv6, [::] is 0.0.0.0.",
                               CheckListen)
                         .Also(ListenSchema())}});
}

}  // namespace outrigger::config
