#include "deliver/dead_letter.h"

#include <algorithm>

#include "config/values.h"

namespace outrigger::deliver {
namespace {

constexpr size_t kMaxBody = 1024;
constexpr std::string_view kPrefix = "outrigger-error-";
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// The length of the well-formed sequence at the start of `text`, or 0 (RFC 3629, section 4).
size_t Utf8Length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  const size_t length = lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
  if (length == 0 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  const unsigned least = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned most = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  return byte(1) < least || byte(1) > most ? 0 : length;
}

// One more than the letter that the record was before.
uint64_t Generation(const kafka::Consumed& record) {
  uint64_t earlier = 0;
  for (const auto& header : record.headers)
    if (header.name == "outrigger-error-generation" && header.value)
      earlier = std::max(earlier, config::ParseWhole(*header.value).value_or(0));
  return earlier == UINT64_MAX ? earlier : earlier + 1;
}

}  // namespace

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

std::string Excerpt(std::string_view text, size_t most) {
  std::string out;
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    const std::string_view character = length > 0 ? text.substr(0, length) : kReplacement;
    if (out.size() + character.size() > most) break;
    out.append(character);
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return out;
}

event::Record ToDeadLetter(const kafka::Consumed& record, const Letter& letter,
                           std::string dead_letter_topic) {
  event::Record out;
  out.topic = std::move(dead_letter_topic);
  out.key = record.key;
  out.value = record.value;
  for (const auto& header : record.headers)
    if (!header.name.starts_with(kPrefix)) out.headers.push_back(header);
  const auto add = [&out](std::string_view name, std::string value) {
    out.headers.push_back({std::string(kPrefix) + std::string(name), std::move(value)});
  };
  add("reason", std::string(Label(letter.reason)));
  if (letter.status != 0) add("status", std::to_string(letter.status));
  add("body", Excerpt(letter.body, kMaxBody));
  add("attempts", std::to_string(letter.attempts));
  add("first-time", base::Rfc3339(letter.first));
  add("last-time", base::Rfc3339(letter.last));
  add("topic", record.topic);
  add("partition", std::to_string(record.partition));
  add("offset", std::to_string(record.offset));
  if (record.timestamp_ms >= 0) add("timestamp", std::to_string(record.timestamp_ms));
  add("subscription", std::string(letter.subscription));
  add("generation", std::to_string(Generation(record)));
  return out;
}

}  // namespace outrigger::deliver
