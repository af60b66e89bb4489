#include "deliver/verdict.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <ctime>

#include "base/ascii.h"
#include "config/values.h"
#include "event/cloudevents.h"
#include "event/json_grammar.h"
#include "event/json_scan.h"

namespace outrigger::deliver {
namespace {

using Action = Verdict::Action;
using event::JsonValue;
using std::chrono::seconds;

base::Duration Bounded(base::Duration wait) {
  return std::clamp(wait, base::Duration::zero(), kLongestWait);
}

// "5s" or a number of seconds. What is neither, or negative, sets no bound: the backoff does.
std::optional<base::Duration> ReadDelay(const JsonValue& delay) {
  if (delay.kind == JsonValue::Kind::kString) {
    const auto duration = config::ParseDuration(delay.text);
    if (!duration) return std::nullopt;
    return *duration > kLongestWait ? kLongestWait : Bounded(*duration);
  }
  if (delay.kind != JsonValue::Kind::kNumber) return std::nullopt;
  const auto number = config::ParseNumber(delay.text);
  if (!number || !std::isfinite(*number) || *number < 0) return std::nullopt;
  constexpr double kMost = std::chrono::duration<double>(kLongestWait).count();
  return std::chrono::duration_cast<base::Duration>(
      std::chrono::duration<double>(std::min(*number, kMost)));
}

// The word in upper case: Dapr's words are upper case, and {"status":"success"} is what handlers
// write that never heard of them.
std::string Upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

Verdict Unreadable(int status, std::string detail) {
  return {Action::kRetry, Reason::kUndecodable, status, std::move(detail)};
}

Verdict ReadWord(int status, const std::vector<JsonValue>& values) {
  Verdict verdict{.status = status};
  const JsonValue& word = values[0];
  if (word.kind == JsonValue::Kind::kAbsent || word.kind == JsonValue::Kind::kNull) return verdict;
  if (values[1].kind == JsonValue::Kind::kString) verdict.detail = values[1].text;
  const std::string upper =
      word.kind == JsonValue::Kind::kString ? Upper(word.text) : std::string();
  if (upper == "SUCCESS") return verdict;
  if (upper == "DROP") {
    verdict.action = Action::kDrop;
  } else if (upper == "DEAD_LETTER") {
    verdict.action = Action::kDeadLetter;
  } else if (upper == "RETRY") {
    verdict.action = Action::kRetry;
    verdict.wait = ReadDelay(values[2]);
  } else {
    verdict.unknown_word = true;
    verdict.detail = word.text;
  }
  return verdict;
}

// What is wrong with a body that says that it is JSON; empty: nothing.
std::string WhyUnreadable(event::JsonReader& json, const http::Answer& answer,
                          std::string_view body) {
  const std::string encoding = base::LowerAscii(answer.Find("content-encoding"));
  if (!encoding.empty() && encoding != "identity")
    return "the answer is encoded (" + encoding + ") although identity was asked for";
  if (answer.cut_short)
    return body.starts_with('{') ? "the answer is JSON of more than 64 KiB, too large for a status"
                                 : std::string();
  if (!json.Check(body) && !event::IsJsonText(body))
    return "the answer says that it is JSON, and is not";
  return {};
}

Verdict ReadSuccess(event::JsonReader& json, const http::Answer& answer) {
  const int status = answer.status;
  std::string_view body = event::SkipMark(answer.body);
  body.remove_prefix(std::min(body.find_first_not_of(" \t\r\n"), body.size()));
  if (body.empty()) return {.status = status};
  const bool says_json = event::IsJson(answer.Find("content-type"));
  // Most answers end here: only an object can have a `status`, and only where the word occurs (or
  // is written with escapes).
  const bool may_have_word =
      body.front() == '{' &&
      (body.find("status") != std::string_view::npos || body.find('\\') != std::string_view::npos);
  if (!says_json && !may_have_word) return {.status = status};
  if (std::string why = WhyUnreadable(json, answer, body); !why.empty())
    return says_json ? Unreadable(status, std::move(why)) : Verdict{.status = status};
  if (!may_have_word || answer.cut_short) return {.status = status};
  static const std::array<event::JsonPath, 3> kPaths{
      event::JsonPath{"status"}, {"reason"}, {"delay"}};
  const auto values = event::JsonReader::Read(body, kPaths, event::JsonReader::Repeats::kLast);
  return ReadWord(status, *values);
}

bool IsRetryable4xx(int status) {
  static constexpr std::array kRetryable{404, 405, 408, 409, 425, 429};
  return std::find(kRetryable.begin(), kRetryable.end(), status) != kRetryable.end();
}

}  // namespace

std::string_view Label(Reason reason) {
  switch (reason) {
    case Reason::kNone:
      return "";
    case Reason::kTimeout:
      return "timeout";
    case Reason::kRefused:
      return "refused";
    case Reason::kStatus3xx:
      return "status_3xx";
    case Reason::kStatus4xx:
      return "status_4xx";
    case Reason::kStatus5xx:
      return "status_5xx";
    case Reason::kUndecodable:
      return "undecodable";
  }
  return "";
}

std::optional<base::Duration> ReadRetryAfter(std::string_view value, base::WallTime now) {
  if (value.empty()) return std::nullopt;
  if (std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    const auto count = config::ParseWhole(value);
    constexpr uint64_t kMost = std::chrono::duration_cast<seconds>(kLongestWait).count();
    return seconds(count ? std::min(*count, kMost) : kMost);  // not even 64 bits hold it
  }
  const std::string text(value);
  for (const char* form :
       {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y"}) {
    std::tm parts{};
    const char* end = strptime(text.c_str(), form, &parts);
    if (!end || *end != '\0') continue;
    // In seconds: the year 9999 is out of the range of nanoseconds.
    const auto wait =
        seconds(timegm(&parts)) - std::chrono::duration_cast<seconds>(now.time_since_epoch());
    return std::clamp(wait, seconds(0), std::chrono::duration_cast<seconds>(kLongestWait));
  }
  return std::nullopt;
}

Verdict ReadVerdict(event::JsonReader& json, const http::Answer& answer, base::WallTime now) {
  const int status = answer.status;
  if (status >= 200 && status < 300) return ReadSuccess(json, answer);
  Verdict verdict{.status = status, .detail = "the app answered " + std::to_string(status)};
  if (status >= 400 && status < 500 && !IsRetryable4xx(status)) {
    verdict.action = Action::kRejected;
    verdict.reason = Reason::kStatus4xx;
    return verdict;
  }
  // A redirect is not followed (the body could end up outside the pod) and is not the event's
  // fault: a path without its slash, a login page. It is tried again, so that a mended route or URL
  // delivers everything, and the degraded circuit sees it when every key meets it.
  verdict.action = Action::kRetry;
  verdict.reason = status < 300 || status > 599 ? Reason::kUndecodable
                   : status < 400               ? Reason::kStatus3xx
                   : status < 500               ? Reason::kStatus4xx
                                                : Reason::kStatus5xx;
  verdict.wait = ReadRetryAfter(answer.Find("retry-after"), now);
  return verdict;
}

Verdict VerdictOn(const http::CallError& error) {
  switch (error.failure) {
    case http::Failure::kTimeout:
      return {Action::kRetry, Reason::kTimeout, 0, error.message};
    case http::Failure::kCut:
      return {Action::kRetry, Reason::kRefused, 0, error.message};
    case http::Failure::kProtocol:
      // A call that HTTP can't carry is no better next time; an answer that is none may be.
      return error.sent ? Unreadable(0, error.message) : Undecodable(error.message);
    case http::Failure::kCancelled:
      return {Action::kCancelled, Reason::kNone, 0, error.message};
    case http::Failure::kRefused:
      break;
  }
  return {Action::kAppDown, Reason::kRefused, 0, error.message};
}

Verdict Undecodable(std::string detail) {
  return {Action::kDeadLetter, Reason::kUndecodable, 0, std::move(detail)};
}

}  // namespace outrigger::deliver
