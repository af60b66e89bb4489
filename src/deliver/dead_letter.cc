#include "deliver/dead_letter.h"

#include <algorithm>

#include "base/json_text.h"
#include "config/values.h"

namespace outrigger::deliver {
namespace {

constexpr size_t kMaxBody = 1024;
constexpr std::string_view kPrefix = "outrigger-error-";

}  // namespace

uint64_t Generation(const kafka::Consumed& record) {
  uint64_t earlier = 0;
  for (const auto& header : record.headers)
    if (header.name == "outrigger-error-generation" && header.value)
      earlier = std::max(earlier, config::ParseWhole(*header.value).value_or(0));
  return earlier;
}

std::string_view Label(LetterReason reason) {
  switch (reason) {
    case LetterReason::kTimeout:
      return "timeout";
    case LetterReason::kRefused:
      return "refused";
    case LetterReason::kStatus:
      return "status";
    case LetterReason::kUndecodable:
      return "undecodable";
    case LetterReason::kDeadLetter:
      return "dead_letter";
    case LetterReason::kTooLarge:
      return "too_large";
    case LetterReason::kExpired:
      return "expired";
    case LetterReason::kSchema:
      return "schema";
  }
  return "";
}

LetterReason ReasonOf(const Verdict& verdict) {
  if (verdict.action == Verdict::Action::kDeadLetter)
    return verdict.reason == Reason::kUndecodable ? LetterReason::kUndecodable
                                                  : LetterReason::kDeadLetter;
  if (verdict.reason == Reason::kTimeout) return LetterReason::kTimeout;
  if (verdict.reason == Reason::kRefused) return LetterReason::kRefused;
  return LetterReason::kStatus;
}

event::Record ToDeadLetter(const kafka::Consumed& record, const Letter& letter,
                           std::string dead_letter_topic, Story story) {
  event::Record out;
  out.topic = std::move(dead_letter_topic);
  out.key = record.key;
  out.value = record.value;
  for (const auto& header : record.headers)
    if (!header.name.starts_with(kPrefix)) out.headers.push_back(header);
  const auto add = [&](Story until, std::string_view name, std::string value) {
    if (story <= until)
      out.headers.push_back({std::string(kPrefix).append(name), std::move(value)});
  };
  add(Story::kOrigin, "reason", std::string(Label(letter.reason)));
  if (letter.status != 0) add(Story::kWithoutBody, "status", std::to_string(letter.status));
  add(Story::kWhole, "body", base::Utf8Prefix(letter.body, kMaxBody));
  add(Story::kWithoutBody, "attempts", std::to_string(letter.attempts));
  add(Story::kWithoutBody, "first-time", base::Rfc3339(letter.first));
  add(Story::kWithoutBody, "last-time", base::Rfc3339(letter.last));
  add(Story::kOrigin, "topic", record.topic);
  add(Story::kOrigin, "partition", std::to_string(record.partition));
  add(Story::kOrigin, "offset", std::to_string(record.offset));
  if (record.timestamp_ms >= 0)
    add(Story::kWithoutBody, "timestamp", std::to_string(record.timestamp_ms));
  add(Story::kWithoutBody, "subscription", std::string(letter.subscription));
  const uint64_t earlier = Generation(record);
  add(Story::kGeneration, "generation", std::to_string(earlier + (earlier < UINT64_MAX ? 1 : 0)));
  return out;
}

}  // namespace outrigger::deliver
