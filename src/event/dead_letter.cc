#include "event/dead_letter.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/json_text.h"
#include "config/values.h"

namespace outrigger::event {
namespace {

constexpr size_t kMaxBody = 1024;
constexpr std::string_view kPrefix = "outrigger-error-";

}  // namespace

uint64_t Generation(const std::vector<Header>& headers) {
  uint64_t earlier = 0;
  for (const auto& header : headers)
    if (header.name == "outrigger-error-generation" && header.value)
      earlier = std::max(earlier, config::ParseWhole(*header.value).value_or(0));
  return earlier;
}

void TellDeadLetter(std::vector<Header>& headers, const DeadLetterStory& story,
                    DeadLetterDetail detail) {
  using enum DeadLetterDetail;
  const uint64_t earlier = Generation(headers);
  std::erase_if(headers, [](const Header& header) { return header.name.starts_with(kPrefix); });
  const auto add = [&](DeadLetterDetail until, std::string_view name, std::string value) {
    if (detail <= until) headers.push_back({std::string(kPrefix).append(name), std::move(value)});
  };
  add(kOrigin, "reason", std::string(story.reason));
  if (story.status != 0) add(kWithoutBody, "status", std::to_string(story.status));
  add(kWhole, "body", base::Utf8Prefix(story.body, kMaxBody));
  add(kWithoutBody, "attempts", std::to_string(story.attempts));
  add(kWithoutBody, "first-time", base::Rfc3339(story.first));
  add(kWithoutBody, "last-time", base::Rfc3339(story.last));
  add(kOrigin, "topic", std::string(story.topic));
  if (story.partition >= 0) add(kOrigin, "partition", std::to_string(story.partition));
  if (story.offset >= 0) add(kOrigin, "offset", std::to_string(story.offset));
  if (story.timestamp_ms >= 0) add(kWithoutBody, "timestamp", std::to_string(story.timestamp_ms));
  if (!story.subscription.empty())
    add(kWithoutBody, "subscription", std::string(story.subscription));
  add(kGeneration, "generation", std::to_string(earlier + (earlier < UINT64_MAX ? 1 : 0)));
}

}  // namespace outrigger::event
