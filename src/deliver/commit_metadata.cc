#include "deliver/commit_metadata.h"

#include <algorithm>
#include <limits>

#include "event/base64.h"

namespace outrigger::deliver {
namespace {

constexpr std::string_view kPrefix = "or1:", kPrefixWithTimes = "or2:";
constexpr char kNothing = 0, kRuns = 1, kBits = 2;
constexpr size_t kCheckBytes = 4;

void AppendNumber(std::string& out, uint64_t number) {
  for (; number >= 0x80; number >>= 7) out.push_back(static_cast<char>(number | 0x80));
  out.push_back(static_cast<char>(number));
}

uint32_t Check(std::string_view bytes, int64_t committed) {
  uint32_t sum = 0xFFFFFFFF;
  const auto add = [&sum](uint8_t byte) {
    sum ^= byte;
    for (int bit = 0; bit < 8; ++bit) sum = (sum >> 1) ^ (sum & 1 ? 0xEDB88320 : 0);
  };
  for (const char c : bytes) add(static_cast<uint8_t>(c));
  for (int i = 0; i < 8; ++i)
    add(static_cast<uint8_t>(static_cast<uint64_t>(committed) >> (8 * i)));
  return ~sum;
}

std::string Runs(const Progress& progress) {
  std::string out(1, kRuns);
  AppendNumber(out, progress.settled.size());
  int64_t at = progress.committed;
  for (const auto& range : progress.settled) {
    AppendNumber(out, static_cast<uint64_t>(range.begin - at));
    AppendNumber(out, static_cast<uint64_t>(range.end - range.begin));
    at = range.end;
  }
  return out;
}

std::string Bits(const Progress& progress) {
  const int64_t first = progress.committed + 1;
  const int64_t count = progress.settled.back().end - first;
  std::string bits(static_cast<size_t>((count + 7) / 8), '\0');
  for (const auto& range : progress.settled)
    for (int64_t at = range.begin - first; at < range.end - first; ++at)
      bits[static_cast<size_t>(at / 8)] |= static_cast<char>(1 << (at % 8));
  std::string out(1, kBits);
  AppendNumber(out, bits.size());
  return out + bits;
}

std::string Settled(const Progress& progress) {
  if (progress.settled.empty()) return std::string(1, kNothing);
  std::string runs = Runs(progress);
  // Bits are not even built where they can't win: a run may be a million offsets long.
  const int64_t span = progress.settled.back().end - progress.committed;
  if (span / 8 >= static_cast<int64_t>(runs.size())) return runs;
  std::string bits = Bits(progress);
  return bits.size() < runs.size() ? bits : runs;
}

std::string ToBase64Url(std::string_view bytes) {
  std::string text = event::EncodeBase64(bytes);
  while (!text.empty() && text.back() == '=') text.pop_back();
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

std::optional<std::string> FromBase64Url(std::string_view url) {
  std::string text(url);
  for (char& c : text) {
    if (c == '+' || c == '/' || c == '=') return std::nullopt;
    c = c == '-' ? '+' : c == '_' ? '/' : c;
  }
  text.append((4 - text.size() % 4) % 4, '=');
  return event::DecodeBase64(text);
}

// Takes numbers off the front; `good` turns false for ever at the first that is cut or too large.
// No number or sum of numbers reaches 2^62, so adding two never overflows.
struct Numbers {
  static constexpr int64_t kMost = std::numeric_limits<int64_t>::max() / 2;

  std::string_view rest;
  bool good = true;

  int64_t Next(int64_t least) {
    uint64_t number = 0;
    for (int shift = 0; shift < 63 && !rest.empty(); shift += 7) {
      const auto byte = static_cast<uint8_t>(rest.front());
      rest.remove_prefix(1);
      number |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte & 0x80) continue;
      if (number > static_cast<uint64_t>(kMost)) break;
      const auto value = static_cast<int64_t>(number);
      if (value < least) break;
      return value;
    }
    good = false;
    return least;
  }

  // `at` moved on by the next number.
  int64_t Step(int64_t at, int64_t least) {
    const int64_t by = Next(least);
    if (at > kMost - by) good = false;
    return good ? at + by : at;
  }
};

void ReadRuns(Numbers& numbers, Progress& progress) {
  int64_t at = progress.committed;
  for (int64_t left = numbers.Next(1); left > 0 && numbers.good; --left) {
    OffsetRange range;
    range.begin = numbers.Step(at, 1);
    range.end = at = numbers.Step(range.begin, 1);
    progress.settled.push_back(range);
  }
}

void ReadBits(Numbers& numbers, Progress& progress) {
  const auto size = static_cast<size_t>(numbers.Next(1));
  numbers.good = numbers.good && size <= numbers.rest.size();
  if (!numbers.good) return;
  const std::string_view bits = numbers.rest.substr(0, size);
  numbers.rest.remove_prefix(size);
  for (size_t i = 0; i < size * 8; ++i) {
    if (!(static_cast<uint8_t>(bits[i / 8]) >> (i % 8) & 1)) continue;
    const int64_t offset = progress.committed + 1 + static_cast<int64_t>(i);
    if (!progress.settled.empty() && progress.settled.back().end == offset) {
      ++progress.settled.back().end;
    } else {
      progress.settled.push_back({offset, offset + 1});
    }
  }
}

void ReadAttempts(Numbers& numbers, Progress& progress) {
  int64_t at = progress.committed;
  for (int64_t left = numbers.Next(0); left > 0 && numbers.good; --left) {
    at = numbers.Step(at, progress.attempts.empty() ? 0 : 1);
    const int64_t attempts = numbers.Next(1);
    if (attempts > std::numeric_limits<uint32_t>::max()) numbers.good = false;
    progress.attempts.emplace_back(at, static_cast<uint32_t>(attempts));
  }
}

void AppendTimes(std::string& out, const std::vector<int64_t>& times) {
  int64_t earliest = std::numeric_limits<int64_t>::max();
  for (const int64_t time : times)
    if (time > 0) earliest = std::min(earliest, time);
  AppendNumber(out, static_cast<uint64_t>(earliest));
  for (const int64_t time : times)
    AppendNumber(out, time > 0 ? static_cast<uint64_t>(time - earliest) + 1 : 0);
}

void ReadTimes(Numbers& numbers, Progress& progress) {
  const int64_t earliest = numbers.Next(1);
  for (size_t left = progress.attempts.size(); left > 0 && numbers.good; --left) {
    const int64_t distance = numbers.Next(0);
    progress.first_tries.push_back(distance > 0 ? earliest + distance - 1 : 0);
  }
}

}  // namespace

std::string EncodeMetadata(const Progress& progress) {
  if (progress.settled.empty() && progress.attempts.empty()) return {};
  std::string bytes = Settled(progress);
  AppendNumber(bytes, progress.attempts.size());
  int64_t at = progress.committed;
  for (const auto& [offset, attempts] : progress.attempts) {
    AppendNumber(bytes, static_cast<uint64_t>(offset - at));
    AppendNumber(bytes, attempts);
    at = offset;
  }
  const bool times = std::any_of(progress.first_tries.begin(), progress.first_tries.end(),
                                 [](int64_t time) { return time > 0; });
  if (times) AppendTimes(bytes, progress.first_tries);
  const uint32_t check = Check(bytes, progress.committed);
  for (size_t i = 0; i < kCheckBytes; ++i) bytes.push_back(static_cast<char>(check >> (8 * i)));
  return std::string(times ? kPrefixWithTimes : kPrefix) + ToBase64Url(bytes);
}

std::string EncodeWithin(Progress progress, size_t limit) {
  std::string text = EncodeMetadata(progress);
  if (!FitsMetadata(text.size(), limit / 4 * 3) && !progress.first_tries.empty()) {
    progress.first_tries.clear();
    text = EncodeMetadata(progress);
  }
  while (text.size() > limit) {
    if (progress.settled.empty()) {
      progress.attempts.resize(progress.attempts.size() / 2);
    } else {
      progress.settled.resize(progress.settled.size() / 2);
    }
    text = EncodeMetadata(progress);
  }
  return text;
}

std::optional<Progress> DecodeMetadata(std::string_view text, int64_t committed) {
  Progress progress{committed, {}, {}};
  if (text.empty()) return progress;
  const bool times = text.starts_with(kPrefixWithTimes);
  if ((!times && !text.starts_with(kPrefix)) || committed < 0 || committed > Numbers::kMost)
    return std::nullopt;
  const auto bytes = FromBase64Url(text.substr(kPrefix.size()));
  if (!bytes || bytes->size() < 1 + kCheckBytes) return std::nullopt;
  const auto body = std::string_view(*bytes).substr(0, bytes->size() - kCheckBytes);
  const uint32_t check = Check(body, committed);
  for (size_t i = 0; i < kCheckBytes; ++i)
    if (static_cast<uint8_t>((*bytes)[body.size() + i]) != static_cast<uint8_t>(check >> (8 * i)))
      return std::nullopt;
  Numbers numbers{body.substr(1)};
  switch (body.front()) {
    case kNothing:
      break;
    case kRuns:
      ReadRuns(numbers, progress);
      break;
    case kBits:
      ReadBits(numbers, progress);
      break;
    default:
      return std::nullopt;
  }
  if (numbers.good) ReadAttempts(numbers, progress);
  if (numbers.good && times) ReadTimes(numbers, progress);
  if (!numbers.good || !numbers.rest.empty()) return std::nullopt;
  return progress;
}

}  // namespace outrigger::deliver
