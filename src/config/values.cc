#include "config/values.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/ascii.h"
#include "base/json_text.h"

namespace outrigger::config {
namespace {

using base::Error;
using base::Fail;

struct Unit {
  std::string_view name;
  uint64_t worth;
};

constexpr std::array<Unit, 4> kTimes = {{{"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::array<Unit, 7> kSizes = {{{"GiB", 1 << 30},
                                         {"MiB", 1 << 20},
                                         {"KiB", 1 << 10},
                                         {"GB", 1'000'000'000},
                                         {"MB", 1'000'000},
                                         {"KB", 1'000},
                                         {"B", 1}}};

// Far above every field's own range, and far from an overflow.
constexpr uint64_t kMost = uint64_t{1} << 50;

std::string_view TakeDigits(std::string_view& text) {
  const size_t length = std::find_if_not(text.begin(), text.end(), base::IsDigit) - text.begin();
  const std::string_view digits = text.substr(0, length);
  text.remove_prefix(length);
  return digits;
}

std::string_view TakeLetters(std::string_view& text) {
  const size_t length = std::find_if(text.begin(), text.end(), base::IsDigit) - text.begin();
  const std::string_view letters = text.substr(0, length);
  text.remove_prefix(length);
  return letters;
}

Error NoDuration(std::string_view text) {
  return Error::Invalid("must be a duration, not " + Quoted(text),
                        "a whole number with a unit: `250ms`, `5s`, `1m`, `10h` or `1m30s`");
}

Error NoSize(std::string_view text) {
  return Error::Invalid("must be a size, not " + Quoted(text),
                        "bytes, or a whole number with B, KB, MB, GB, KiB, MiB or GiB: `64KiB`");
}

bool IsAddress(const std::string& host, int family) {
  std::array<unsigned char, sizeof(in6_addr)> bytes;
  return inet_pton(family, host.c_str(), bytes.data()) == 1;
}

// "host:port" or "[v6]:port" → its two halves; no port: empty.
struct Halves {
  std::string host, port;
  bool v6 = false;
  bool has_port = false;
};
Halves Split(std::string_view text) {
  Halves halves;
  size_t colon;
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == text.npos) return halves;
    halves.v6 = true;
    halves.host = text.substr(1, end - 1);
    if (end + 1 == text.size()) return halves;
    colon = text[end + 1] == ':' ? end + 1 : text.npos;
    if (colon == text.npos) return {};
  } else {
    colon = text.rfind(':');
    halves.host = text.substr(0, colon);
    if (colon == text.npos) return halves;
  }
  halves.has_port = true;
  halves.port = text.substr(colon + 1);
  return halves;
}

bool IsHostName(std::string_view host) {
  const auto fits = [](unsigned char c) {
    return std::isalnum(c) || c == '-' || c == '_' || c == '.';
  };
  return !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), fits) &&
         host.front() != '-' && host.front() != '.';
}

}  // namespace

std::string Excerpt(std::string_view text) {
  constexpr size_t kLongest = 60;
  size_t length = std::min(text.size(), kLongest);
  // Not in the middle of a character.
  while (length < text.size() && length > 0 && (text[length] & 0xC0) == 0x80) --length;
  std::string excerpt(text.substr(0, length));
  for (char& c : excerpt)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  return length < text.size() ? excerpt + "…" : excerpt;
}

std::string Quoted(std::string_view text) { return "`" + Excerpt(text) + "`"; }

base::Result<std::chrono::milliseconds> ParseDuration(std::string_view text) {
  uint64_t total = 0;
  size_t next = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const auto number = ParseWhole(TakeDigits(rest));
    const std::string_view name = TakeLetters(rest);
    if (!number || *number > kMost / kTimes[0].worth) return Fail(NoDuration(text));
    while (next < kTimes.size() && kTimes[next].name != name) ++next;
    if (next == kTimes.size()) return Fail(NoDuration(text));
    total += *number * kTimes[next++].worth;
  }
  if (text.empty()) return Fail(NoDuration(text));
  return std::chrono::milliseconds(total);
}

std::string ShowDuration(std::chrono::milliseconds duration) {
  auto rest = static_cast<uint64_t>(duration.count());
  if (rest == 0) return "0s";
  std::string shown;
  for (const Unit& unit : kTimes) {
    if (rest < unit.worth) continue;
    shown += std::to_string(rest / unit.worth) + std::string(unit.name);
    rest %= unit.worth;
  }
  return shown;
}

base::Result<uint64_t> ParseSize(std::string_view text) {
  std::string_view rest = text;
  const auto number = ParseWhole(TakeDigits(rest));
  if (!number || *number > kMost) return Fail(NoSize(text));
  if (rest.empty()) return *number;
  for (const Unit& unit : kSizes)
    if (unit.name == rest && *number <= kMost / unit.worth) return *number * unit.worth;
  return Fail(NoSize(text));
}

std::string ShowSize(uint64_t bytes) {
  for (const Unit& unit : kSizes)
    if (bytes > 0 && bytes % unit.worth == 0 && (unit.name.size() == 3 || unit.worth == 1))
      return std::to_string(bytes / unit.worth) + std::string(unit.name);
  return "0B";
}

std::optional<std::chrono::system_clock::time_point> ParseRfc3339(std::string_view text) {
  namespace chrono = std::chrono;
  bool good = true;
  // Exactly `digits` digits, then one of `ends` (none: nothing is taken).
  const auto take = [&](size_t digits, std::string_view ends) {
    std::string_view rest = text.substr(0, digits);
    const auto number = ParseWhole(TakeDigits(rest));
    good = good && text.size() >= digits && rest.empty() && number &&
           (ends.empty() || (text.size() > digits && ends.find(text[digits]) != ends.npos));
    text.remove_prefix(std::min(text.size(), digits + (ends.empty() ? 0 : 1)));
    return static_cast<int>(number.value_or(0));
  };
  const chrono::year year(take(4, "-"));
  const chrono::month month(static_cast<unsigned>(take(2, "-")));
  const chrono::year_month_day day(year, month, chrono::day(static_cast<unsigned>(take(2, "Tt "))));
  const int hour = take(2, ":"), minute = take(2, ":"), second = take(2, "");
  int64_t nanos = 0;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    const std::string_view digits = TakeDigits(text);
    good = good && !digits.empty() && digits.size() <= 9;
    for (size_t i = 0; i < 9; ++i) nanos = nanos * 10 + (i < digits.size() ? digits[i] - '0' : 0);
  }
  int shift = 0;
  if (text != "Z" && text != "z") {
    const int sign = text.starts_with('+') ? 1 : text.starts_with('-') ? -1 : 0;
    text.remove_prefix(std::min<size_t>(1, text.size()));
    const int hours = take(2, ":"), minutes = take(2, "");
    good = good && sign != 0 && hours < 24 && minutes < 60 && text.empty();
    shift = sign * (hours * 60 + minutes);
  }
  if (!good || !day.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  // The clock counts nanoseconds in 64 bits.
  if (int{year} < 1970 || int{year} > 2200) return std::nullopt;
  return chrono::sys_days(day) + chrono::hours(hour) + chrono::minutes(minute - shift) +
         chrono::seconds(second) + chrono::nanoseconds(nanos);
}

std::optional<uint64_t> ParseWhole(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<double> ParseNumber(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number))
    return std::nullopt;
  return number;
}

bool IsJsonNumber(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const std::string_view whole = TakeDigits(text);
  if (whole.empty() || (whole.size() > 1 && whole.front() == '0')) return false;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (TakeDigits(text).empty()) return false;
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
    if (TakeDigits(text).empty()) return false;
  }
  return text.empty();
}

base::Result<Listen> ParseListen(std::string_view text) {
  const Halves halves = Split(text);
  const auto port = ParseWhole(halves.port);
  const bool v4 = !halves.v6 && IsAddress(halves.host, AF_INET);
  const bool v6 = halves.v6 && IsAddress(halves.host, AF_INET6);
  if (!(v4 || v6 || halves.host == "localhost") || !port || *port > 65535)
    return Fail(Error::Invalid("must be an address and a port, not " + Quoted(text),
                               "like `127.0.0.1:8800`, `[::1]:8800` or `[::]:8801`"));
  const bool loopback = halves.host == "localhost" || (v4 && halves.host.starts_with("127.")) ||
                        (v6 && halves.host == "::1");
  return Listen{halves.host, static_cast<uint16_t>(*port), loopback};
}

std::optional<Error> CheckBroker(std::string_view text) {
  if (text.find("://") != text.npos)
    return Error::Invalid(Quoted(text) + " names a protocol",
                          "write host:port; the protocol is `kafka.security.protocol`");
  const Halves halves = Split(text);
  const bool host = halves.v6 ? IsAddress(halves.host, AF_INET6) : IsHostName(halves.host);
  const auto port = ParseWhole(halves.port);
  const bool port_fits = !halves.has_port || (port && *port >= 1 && *port <= 65535);
  if (host && port_fits) return std::nullopt;
  return Error::Invalid(Quoted(text) + " is not a broker address", "host:port, like `kafka:9092`");
}

std::optional<Error> CheckPrintable(std::string_view text) {
  for (std::string_view rest = text; !rest.empty();) {
    const size_t length = base::Utf8Length(rest);
    const auto first = static_cast<unsigned char>(rest.front());
    if (length == 0) return Error::Invalid("is not UTF-8", "use printable characters");
    if (first < 0x20 || first == 0x7F)
      return Error::Invalid(Quoted(text) + " has a control character", "use printable characters");
    rest.remove_prefix(length);
  }
  return std::nullopt;
}

std::optional<Error> CheckTopicName(std::string_view name) {
  const auto fits = [](unsigned char c) {
    return std::isalnum(c) || c == '.' || c == '_' || c == '-';
  };
  if (name.starts_with("__"))
    return Error::Invalid("a topic can't start with `__`: those are Kafka's own",
                          "choose another name");
  if (!name.empty() && name.size() <= 249 && name != "." && name != ".." &&
      std::all_of(name.begin(), name.end(), fits))
    return std::nullopt;
  return Error::Invalid(Quoted(name) + " is not a topic name",
                        "1 to 249 of the characters a-z, A-Z, 0-9, `.`, `_` and `-`");
}

std::string Listed(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " or " : ", ";
    text += "`" + names[i] + "`";
  }
  return text;
}

}  // namespace outrigger::config
