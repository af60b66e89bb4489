#include "config/field.h"

namespace outrigger::config {
namespace {

Field<Config> Constant(std::string name, std::string value, std::string doc) {
  const Json schema = {{"const", value}};
  Field<Config> field = MakeField<Config>(
      name, std::move(doc), schema, [value](Config&, const Spot& spot, Reading& reading) {
        const std::string* text = reading.Scalar(spot);
        if (text != nullptr && *text != value)
          reading.Error(spot, "must be `" + value + "`, not " + Quoted(*text),
                        "this version supports no other");
      });
  return std::move(field).Required();
}

bool IsWildcard(const std::string& host) { return host == "0.0.0.0" || host == "::"; }

void CheckPorts(const Config& config, const Spot& spot, Reading& reading) {
  const auto http = ParseListen(config.http.listen);
  const auto ops = ParseListen(config.ops.listen);
  if (!http || !ops || http->port == 0 || http->port != ops->port) return;
  const auto host = [](const Listen& listen) {
    return listen.host == "localhost" ? std::string("127.0.0.1") : listen.host;
  };
  if (host(*http) != host(*ops) && !IsWildcard(http->host) && !IsWildcard(ops->host)) return;
  const bool at_ops = spot.At("ops").Has("listen");
  reading.Error(spot.At(at_ops ? "ops" : "http").At("listen"),
                "http.listen and ops.listen share port " + std::to_string(http->port),
                "give each a port of its own");
}

Mapping<Config> Describe() {
  Mapping<Config> mapping;
  mapping.fields = {
      Constant("apiVersion", "outrigger/v1", "The version of the format of this file."),
      Constant("kind", "Sidecar", "The kind of thing that this file configures."),
      KafkaField(),
      RoutesField(),
      SubscriptionsField(),
      Group("rebalance", "What happens when partitions are revoked.",
            Mapping<Config>{
                .fields = {Duration("drain", &Config::rebalance_drain, Millis(0), Millis(240'000),
                                    "How long the events in flight of a revoked partition may take "
                                    "to settle before it is handed over.")}}),
      Later<Config>("topics"),
  };
  mapping.fields.push_back(HttpField());
  mapping.fields.push_back(SpoolField());
  mapping.fields.push_back(OpsField());
  mapping.fields.push_back(MemoryField());
  mapping.fields.push_back(
      Object("log", &Config::log, "The log, on standard error.",
             Mapping<Log>{
                 .fields = {Choice("level", &Log::level, Words({"debug", "info", "warn", "error"}),
                                   "The lowest level that is logged."),
                            Choice("format", &Log::format, Words({"json", "text"}),
                                   "One JSON object per line, or text for people.")}}));
  mapping.fields.push_back(Group(
      "shutdown", "What happens at SIGTERM.",
      Mapping<Config>{
          .fields = {Duration("budget", &Config::shutdown_budget, Millis(0), Millis(3'600'000),
                              "How long the shutdown may take: events in flight, commits, and what "
                              "the app still publishes.")}}));
  mapping.check = [](Config& config, const Spot& spot, Reading& reading) {
    CheckPorts(config, spot, reading);
    CheckSpool(config, spot, reading);
  };
  mapping.also = SpoolSchema();
  return mapping;
}

}  // namespace

const Mapping<Config>& SidecarFields() {
  static const Mapping<Config> fields = Describe();
  return fields;
}

}  // namespace outrigger::config
