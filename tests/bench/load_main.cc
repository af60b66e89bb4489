// bench_load: the app's side of ./dev bench. Prints one JSON object; exits 1 when the server can't
// be measured.
#include <cstdio>
#include <exception>
#include <nlohmann/json.hpp>

#include "arguments.h"
#include "load.h"

namespace outrigger::bench {
namespace {

constexpr const char* kUsage =
    "usage: bench_load MODE (--port P | --unix PATH) [options]\n"
    "  acked   single events, one request outstanding on each connection\n"
    "  batch   CloudEvents batches of --size B\n"
    "  ndjson  one streamed request on each connection, --seconds S long or of --events N\n"
    "options: --connections N  --topic-type TYPE  --keys K  --seconds S  --warm-up S\n"
    "         --pid PID: the process whose CPU is measured\n";

double Micros(uint64_t nanos) { return static_cast<double>(nanos) / 1000; }

nlohmann::ordered_json ToJson(const Measured& measured) {
  const auto per_event = [&](double seconds) {
    return measured.events > 0 ? seconds * 1e6 / static_cast<double>(measured.events) : 0;
  };
  nlohmann::ordered_json json;
  json["seconds"] = measured.seconds;
  json["requests"] = measured.requests;
  json["events"] = measured.events;
  json["events_per_second"] = static_cast<double>(measured.events) / measured.seconds;
  json["p50_us"] = Micros(measured.latency.Percentile(0.50));
  json["p99_us"] = Micros(measured.latency.Percentile(0.99));
  json["max_us"] = Micros(measured.latency.max());
  json["server_cpu_us_per_event"] = per_event(measured.server_cpu_seconds);
  json["load_cpu_us_per_event"] = per_event(measured.own_cpu_seconds);
  json["other_codes"] = nlohmann::ordered_json::object();
  for (const auto& [code, count] : measured.other_codes)
    json["other_codes"][std::to_string(code)] = count;
  json["dropped_connections"] = measured.dropped_connections;
  json["first_problem"] = measured.first_problem;
  return json;
}

nlohmann::ordered_json Run(const std::string& mode, Arguments& arguments) {
  const Endpoint endpoint{arguments.Text("unix"),
                          static_cast<uint16_t>(arguments.Count("port", 8800))};
  const size_t connections = arguments.Count("connections", 1);
  const std::string type = arguments.Text("topic-type", "bench.event");
  const size_t keys = arguments.Count("keys", 1000);
  const size_t size = arguments.Count("size", 100);
  const double seconds = arguments.Number("seconds", 3);
  const double warm_up = arguments.Number("warm-up", 0.5);
  const uint64_t events = arguments.Count("events", 0);
  const auto pid = static_cast<pid_t>(arguments.Count("pid", 0));
  arguments.RefuseUnknown();
  if (connections == 0 || keys == 0 || size == 0)
    throw std::invalid_argument("--connections, --keys and --size can't be 0");

  nlohmann::ordered_json json;
  json["mode"] = mode;
  json["transport"] = endpoint.unix_path.empty() ? "tcp" : "unix";
  json["connections"] = connections;
  json["type"] = type;
  json["keys"] = keys;
  if (mode == "ndjson") {
    Load load(endpoint, connections, {LineStream(type, keys)}, pid);
    if (warm_up > 0) load.Stream(warm_up, 0);
    json.update(ToJson(load.Stream(seconds, events)));
  } else if (mode == "acked" || mode == "batch") {
    if (mode == "batch") json["size"] = size;
    Load load(endpoint, connections,
              mode == "acked" ? SingleRequests(type, keys) : BatchRequests(type, keys, size), pid);
    json.update(ToJson(load.Repeat(warm_up, seconds)));
  } else {
    throw std::invalid_argument("unknown mode " + mode);
  }
  return json;
}

}  // namespace
}  // namespace outrigger::bench

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs(outrigger::bench::kUsage, stderr);
    return 2;
  }
  try {
    outrigger::bench::Arguments arguments(argc - 2, argv + 2, {});
    std::puts(outrigger::bench::Run(argv[1], arguments).dump().c_str());
    return 0;
  } catch (const std::invalid_argument& error) {
    std::fprintf(stderr, "bench_load: %s\n%s", error.what(), outrigger::bench::kUsage);
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_load: %s\n", error.what());
    return 1;
  }
}
