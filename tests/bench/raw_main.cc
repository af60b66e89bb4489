// bench_raw: raw librdkafka beside the sidecar, for ./dev bench. Prints one JSON object.
#include <cstdio>
#include <exception>
#include <nlohmann/json.hpp>
#include <sstream>

#include "arguments.h"
#include "raw_producer.h"

namespace outrigger::bench {
namespace {

constexpr const char* kUsage =
    "usage: bench_raw MODE --brokers HOST:PORT [options]\n"
    "  sync    produce one, wait for its report: latency\n"
    "  stream  produce as fast as the queue takes: rate and CPU\n"
    "  topics  create --topics NAME:PARTITIONS,… with --config NAME=VALUE,…\n"
    "options of sync and stream: --topic NAME  --type TYPE  --keys K  --linger MS  --seconds S  "
    "--warm-up S\n"
    "                            --headers | --no-headers\n";

// "a:1,b:2" with separator ':' → pairs.
std::vector<std::pair<std::string, std::string>> Pairs(const std::string& text, char separator) {
  std::vector<std::pair<std::string, std::string>> pairs;
  std::istringstream items(text);
  for (std::string item; std::getline(items, item, ',');) {
    const size_t at = item.rfind(separator);
    if (at == std::string::npos)
      throw std::invalid_argument(item + " has no '" + std::string(1, separator) + "'");
    pairs.emplace_back(item.substr(0, at), item.substr(at + 1));
  }
  return pairs;
}

nlohmann::ordered_json Create(const std::string& brokers, Arguments& arguments) {
  std::vector<std::pair<std::string, int>> topics;
  for (const auto& [name, partitions] : Pairs(arguments.Text("topics"), ':'))
    topics.emplace_back(name, std::atoi(partitions.c_str()));
  const auto config = Pairs(arguments.Text("config"), '=');
  arguments.RefuseUnknown();
  CreateTopics(brokers, topics, config);
  return {{"created", topics.size()}};
}

nlohmann::ordered_json Measure(const std::string& mode, const std::string& brokers,
                               Arguments& arguments) {
  RawOptions options;
  options.brokers = brokers;
  options.topic = arguments.Text("topic", "bench");
  options.type = arguments.Text("type", options.topic);
  options.keys = arguments.Count("keys", options.keys);
  options.linger_ms = arguments.Number("linger", 0);
  options.seconds = arguments.Number("seconds", options.seconds);
  options.warm_up = arguments.Number("warm-up", options.warm_up);
  arguments.Flag("headers");
  options.headers = !arguments.Flag("no-headers");
  arguments.RefuseUnknown();
  if (options.keys == 0) throw std::invalid_argument("--keys can't be 0");

  nlohmann::ordered_json json;
  json["mode"] = mode;
  json["topic"] = options.topic;
  json["headers"] = options.headers;
  json["linger_ms"] = options.linger_ms;
  RawProducer producer(options);
  const RawMeasured measured = mode == "sync" ? producer.Sync() : producer.Stream();
  const auto events = static_cast<double>(measured.events);
  json["seconds"] = measured.seconds;
  json["events"] = measured.events;
  json["events_per_second"] = events / measured.seconds;
  json["cpu_us_per_event"] = measured.events > 0 ? measured.cpu_seconds * 1e6 / events : 0;
  if (mode == "sync") {
    json["p50_us"] = static_cast<double>(measured.latency.Percentile(0.50)) / 1000;
    json["p99_us"] = static_cast<double>(measured.latency.Percentile(0.99)) / 1000;
    json["max_us"] = static_cast<double>(measured.latency.max()) / 1000;
  }
  return json;
}

nlohmann::ordered_json Run(const std::string& mode, Arguments& arguments) {
  const std::string brokers = arguments.Text("brokers");
  if (brokers.empty()) throw std::invalid_argument("--brokers is missing");
  if (mode == "topics") return Create(brokers, arguments);
  if (mode == "sync" || mode == "stream") return Measure(mode, brokers, arguments);
  throw std::invalid_argument("unknown mode " + mode);
}

}  // namespace
}  // namespace outrigger::bench

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs(outrigger::bench::kUsage, stderr);
    return 2;
  }
  try {
    outrigger::bench::Arguments arguments(argc - 2, argv + 2, {"headers", "no-headers"});
    std::puts(outrigger::bench::Run(argv[1], arguments).dump().c_str());
    return 0;
  } catch (const std::invalid_argument& error) {
    std::fprintf(stderr, "bench_raw: %s\n%s", error.what(), outrigger::bench::kUsage);
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_raw: %s\n", error.what());
    return 1;
  }
}
