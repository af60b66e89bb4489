#include "config/field.h"

namespace outrigger::config {
namespace {

constexpr uint64_t kLeastBytes = 16 << 20;
constexpr uint64_t kMostBytes = uint64_t{1} << 40;
constexpr Millis kLongestAfter{3'600'000};

void ReadPath(std::string& value, const Spot& spot, Reading& reading) {
  if (ReadText(value, spot, {}, reading)) value = reading.Resolve(value);
}

void CheckRoutes(const std::vector<Route>& routes, const Spot& spot, Reading& reading) {
  for (size_t i = 0; i < routes.size(); ++i) {
    if (routes[i].ack != Ack::kDisk) continue;
    const YamlNode& item = *spot.value.items[i];
    reading.Error(Spot{item, item.line, item.column, routes[i].path}.At("ack"),
                  "`disk` needs a spool, and spool.path is not set",
                  "add `spool: {path: /var/lib/outrigger}`, or remove `ack`");
  }
}

}  // namespace

Field<Config> SpoolField() {
  return Object(
      "spool", &Config::spool,
      "The store on the disk for accepted events that Kafka has not acknowledged yet.",
      Mapping<Spool>{
          .fields = {
              ScalarField(
                  "path", &Spool::path,
                  "The folder of the spool. What is answered 202 `spooled` lasts as long as "
                  "its volume. Default: no spool. A change needs a restart.",
                  TextSchema(), ReadPath),
              Size("maxBytes", &Spool::max_bytes, kLeastBytes, kMostBytes,
                   "The largest size of the spool, at least 16MiB and twice `http.maxBody`. A full "
                   "spool refuses new events with 503; one topic may have half of it."),
              Duration("after", &Spool::after, Millis(0), kLongestAfter,
                       "How long an event waits for Kafka before it is written to the spool and "
                       "answered 202. Less than `http.ackTimeout`."),
          }});
}

Json SpoolSchema() {
  const Json disk = {{"required", {"ack"}}, {"properties", {{"ack", {{"const", "disk"}}}}}};
  const Json routes = {{"type", "array"}, {"contains", disk}};
  const Json spool = {{"type", "object"}, {"required", {"path"}}};
  return {{"if", {{"required", {"routes"}}, {"properties", {{"routes", routes}}}}},
          {"then", {{"required", {"spool"}}, {"properties", {{"spool", spool}}}}}};
}

void CheckSpool(const Config& config, const Spot& spot, Reading& reading) {
  const Spool& spool = config.spool;
  const Spot at = spot.At("spool");
  if (!spool.enabled()) {
    CheckRoutes(config.routes, spot.At("routes"), reading);
    if (at.Has("maxBytes") || at.Has("after"))
      reading.Warn(at, "has no effect without `path`: nothing is kept on the disk",
                   "add `path`, a folder that outlives the process");
    return;
  }
  // Shown at whichever of the two fields is written.
  if (spool.after >= config.http.ack_timeout)
    reading.Error(at.Has("after") ? at.At("after") : spot.At("http").At("ackTimeout"),
                  "spool.after (" + ShowDuration(spool.after) +
                      ") is not less than http.ackTimeout (" +
                      ShowDuration(config.http.ack_timeout) + ")",
                  "an event has to reach the spool before it would be answered 503");
  if (spool.max_bytes / 2 < config.http.max_body)
    reading.Error(at.Has("maxBytes") ? at.At("maxBytes") : spot.At("http").At("maxBody"),
                  "spool.maxBytes (" + ShowSize(spool.max_bytes) +
                      ") is less than twice http.maxBody (" + ShowSize(config.http.max_body) +
                      "): one topic may have half of the spool, and the largest event needs room",
                  "raise spool.maxBytes, or lower http.maxBody");
}

}  // namespace outrigger::config
