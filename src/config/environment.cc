#include "config/environment.h"

#include <algorithm>
#include <cstdlib>

#include "base/ascii.h"
#include "config/values.h"

namespace outrigger::config {
namespace {

void Refuse(const char* name, const char* path, base::Error error, std::vector<Problem>& problems) {
  problems.push_back({{std::string("environment variable ") + name},
                      path,
                      std::move(error.message),
                      std::move(error.hint)});
}

std::string_view Trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::optional<bool> ParseBoolean(std::string_view text) {
  const std::string lower = base::LowerAscii(text);
  if (lower == "true" || lower == "1") return true;
  if (lower == "false" || lower == "0") return false;
  return std::nullopt;
}

void SetBoolean(const char* name, const char* path, std::string_view value, bool& field,
                std::vector<Problem>& problems) {
  if (const auto boolean = ParseBoolean(value))
    field = *boolean;
  else
    Refuse(name, path,
           base::Error::Invalid("must be true or false, not " + Quoted(value),
                                "set it to `true` or `false`"),
           problems);
}

void SetName(const char* name, const char* path, const std::string& value, std::string& field,
             std::vector<Problem>& problems) {
  field = value;
  if (auto wrong = CheckPrintable(value)) Refuse(name, path, std::move(*wrong), problems);
}

void SetBrokers(const char* name, std::string_view value, Kafka& kafka,
                std::vector<Problem>& problems) {
  std::vector<std::string> brokers;
  while (!value.empty()) {
    const auto comma = std::min(value.find(','), value.size());
    const std::string_view broker = Trimmed(value.substr(0, comma));
    value.remove_prefix(std::min(comma + 1, value.size()));
    if (broker.empty()) continue;
    if (auto wrong = CheckBroker(broker))
      Refuse(name, "kafka.brokers", std::move(*wrong), problems);
    brokers.emplace_back(broker);
  }
  if (brokers.empty()) {
    Refuse(name, "kafka.brokers",
           base::Error::Invalid("names no broker", "use a comma-separated list of host:port"),
           problems);
    return;
  }
  kafka.brokers = std::move(brokers);
  for (const auto& broker : kafka.brokers)
    if (broker == "embedded" && kafka.brokers.size() > 1)
      Refuse(name, "kafka.brokers",
             base::Error::Invalid("`embedded` can't be combined with other brokers",
                                  "keep `embedded` alone, or remove it"),
             problems);
}

}  // namespace

Environment ProcessEnvironment() {
  return [](const char* name) -> std::optional<std::string> {
    const char* value = std::getenv(name);
    if (value == nullptr) return std::nullopt;
    return value;
  };
}

std::string ApplyEnvironment(const Environment& environment, Kafka& kafka,
                             std::vector<Problem>& problems) {
  std::string set;
  const auto value_of = [&](const char* name) -> std::optional<std::string> {
    auto value = environment(name);
    if (!value || Trimmed(*value).empty()) return std::nullopt;
    value = std::string(Trimmed(*value));
    set += std::string(name) + "=" + *value + "\n";
    return value;
  };
  if (const auto value = value_of("KAFKA_ENABLED"))
    SetBoolean("KAFKA_ENABLED", "kafka.enabled", *value, kafka.enabled, problems);
  if (const auto value = value_of("KAFKA_BROKERS"))
    SetBrokers("KAFKA_BROKERS", *value, kafka, problems);
  if (const auto value = value_of("KAFKA_CLIENT_ID"))
    SetName("KAFKA_CLIENT_ID", "kafka.clientId", *value, kafka.client_id, problems);
  if (const auto value = value_of("KAFKA_GROUP_ID"))
    SetName("KAFKA_GROUP_ID", "kafka.groupId", *value, kafka.group_id, problems);
  if (const auto value = value_of("REQUIRE_KAFKA"))
    SetBoolean("REQUIRE_KAFKA", "kafka.required", *value, kafka.required, problems);
  return set;
}

}  // namespace outrigger::config
