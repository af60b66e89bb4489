#include "kafka/check.h"

#include "kafka/consumer.h"
#include "kafka/handle.h"

namespace outrigger::kafka {
namespace {

// Alone, so that every property is judged, not only the first wrong one.
std::vector<config::Problem> CheckProperties(const config::Properties& properties) {
  std::vector<config::Problem> problems;
  const Owned<rd_kafka_conf_t> conf(rd_kafka_conf_new());
  char reason[512];
  for (const auto& [name, text] : properties)
    if (rd_kafka_conf_set(conf.get(), name.c_str(), text.value.c_str(), reason, sizeof reason) !=
        RD_KAFKA_CONF_OK)
      problems.push_back({text.place, text.path, reason,
                          "see librdkafka's CONFIGURATION.md for names and values"});
  return problems;
}

}  // namespace

std::vector<config::Problem> Check(const config::Config& config, bool make_clients) {
  std::vector<config::Problem> problems;
  if (!config.kafka.enabled) return problems;
  for (const auto* properties : {&config.kafka.properties, &config.kafka.producer_properties,
                                 &config.kafka.consumer_properties})
    for (auto& problem : CheckProperties(*properties)) problems.push_back(std::move(problem));
  if (!problems.empty() || !make_clients) return problems;

  ConsumerOptions options;
  options.group = config.kafka.group_id;
  options.kafka = config.kafka;
  // What is only tried looks for no broker and logs nothing.
  options.kafka.brokers.clear();
  options.kafka.properties.insert_or_assign("log_level", config::Text{"0", {}, "log_level"});
  const auto refuse = [&](const base::Error& error) {
    problems.push_back({{config.file}, "kafka", error.message, error.hint});
  };
  if (auto producer = Handle::Producer(options.kafka); !producer) refuse(producer.error());
  if (config.subscriptions.empty() || !problems.empty()) return problems;
  if (auto consumer = ConsumerHandle::Create(options); !consumer) refuse(consumer.error());
  return problems;
}

}  // namespace outrigger::kafka
