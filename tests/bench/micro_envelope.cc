// What turning the bytes of one 300-byte request into a record costs, without HTTP and Kafka.
#include <benchmark/benchmark.h>

#include <array>

#include "event/cloudevents.h"
#include "event_text.h"

namespace outrigger::bench {
namespace {

const std::string kType = "user.registered";

void CheckJson(benchmark::State& state) {
  event::JsonReader json;
  const std::string data = DataText(kType, KeyText(7));
  for (auto _ : state) {
    auto checked = json.Check(data);
    if (!checked) state.SkipWithError(checked.error().message.c_str());
    benchmark::DoNotOptimize(checked);
  }
}
BENCHMARK(CheckJson);

void ReadEnvelope(benchmark::State& state) {
  event::JsonReader json;
  const std::string body = EnvelopeText(kType, KeyText(7));
  for (auto _ : state) {
    auto event = event::FromEnvelope(json, body);
    if (!event) state.SkipWithError(event.error().message.c_str());
    benchmark::DoNotOptimize(event);
  }
}
BENCHMARK(ReadEnvelope);

void ReadStructuredCloudEvent(benchmark::State& state) {
  event::JsonReader json;
  const std::string body = CloudEventText(kType, KeyText(7));
  for (auto _ : state) {
    auto event = event::FromStructured(json, body);
    if (!event) state.SkipWithError(event.error().message.c_str());
    benchmark::DoNotOptimize(event);
  }
}
BENCHMARK(ReadStructuredCloudEvent);

void ReadKeyFromData(benchmark::State& state) {
  const std::string data = DataText(kType, KeyText(7));
  const std::array<event::JsonPath, 1> paths{event::JsonPath{"userId"}};
  for (auto _ : state) {
    auto values = event::JsonReader::Read(data, paths);
    if (!values) state.SkipWithError(values.error().message.c_str());
    benchmark::DoNotOptimize(values);
  }
}
BENCHMARK(ReadKeyFromData);

void BindToKafkaBinary(benchmark::State& state) {
  event::JsonReader json;
  const event::Event event = event::FromEnvelope(json, EnvelopeText(kType, KeyText(7))).value();
  for (auto _ : state) benchmark::DoNotOptimize(event::ToKafkaBinary(event));
}
BENCHMARK(BindToKafkaBinary);

}  // namespace
}  // namespace outrigger::bench
