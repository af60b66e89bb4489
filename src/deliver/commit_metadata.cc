#include "deliver/commit_metadata.h"

#include <algorithm>
#include <limits>

#include "event/base64.h"

namespace outrigger::deliver {
namespace {

constexpr std::string_view kPrefix = "or1:", kPrefixWithTimes = "or2:", kPrefixOfGroup = "or3:";
constexpr char kNothing = 0, kRuns = 1, kBits = 2;
constexpr size_t kCheckBytes = 4;

void AppendNumber(std::string& out, uint64_t number) {
  for (; number >= 0x80; number >>= 7) out.push_back(static_cast<char>(number | 0x80));
  out.push_back(static_cast<char>(number));
}

class Crc32 {
 public:
  void Add(uint8_t byte) {
    sum_ ^= byte;
    for (int bit = 0; bit < 8; ++bit) sum_ = (sum_ >> 1) ^ (sum_ & 1 ? 0xEDB88320 : 0);
  }
  void Add(std::string_view bytes) {
    for (const char c : bytes) Add(static_cast<uint8_t>(c));
  }
  uint32_t value() const { return ~sum_; }

 private:
  uint32_t sum_ = 0xFFFFFFFF;
};

uint32_t Check(std::string_view bytes, int64_t committed) {
  Crc32 sum;
  sum.Add(bytes);
  for (int i = 0; i < 8; ++i)
    sum.Add(static_cast<uint8_t>(static_cast<uint64_t>(committed) >> (8 * i)));
  return sum.value();
}

void Append4(std::string& out, uint32_t number) {
  for (int i = 0; i < 4; ++i) out.push_back(static_cast<char>(number >> (8 * i)));
}

uint32_t Read4(std::string_view bytes) {
  uint32_t number = 0;
  for (size_t i = 0; i < 4; ++i)
    number |= static_cast<uint32_t>(static_cast<uint8_t>(bytes[i])) << (8 * i);
  return number;
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

// The text of `bytes` with their check.
std::string Seal(std::string_view prefix, std::string bytes, int64_t committed) {
  Append4(bytes, Check(bytes, committed));
  return std::string(prefix) + ToBase64Url(bytes);
}

// What Seal was given; nullopt: something else.
std::optional<std::string> Open(std::string_view prefix, std::string_view text, int64_t committed) {
  if (!text.starts_with(prefix)) return std::nullopt;
  auto bytes = FromBase64Url(text.substr(prefix.size()));
  if (!bytes || bytes->size() < 1 + kCheckBytes) return std::nullopt;
  const size_t size = bytes->size() - kCheckBytes;
  const auto body = std::string_view(*bytes).substr(0, size);
  if (Read4(std::string_view(*bytes).substr(size)) != Check(body, committed)) return std::nullopt;
  bytes->resize(size);
  return bytes;
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

  std::string_view Bytes(size_t count) {
    good = good && count <= rest.size();
    if (!good) return {};
    const std::string_view bytes = rest.substr(0, count);
    rest.remove_prefix(count);
    return bytes;
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
  const std::string_view bits = numbers.Bytes(static_cast<size_t>(numbers.Next(1)));
  for (size_t i = 0; i < bits.size() * 8; ++i) {
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

bool HasTimes(const Progress& progress) {
  return std::any_of(progress.first_tries.begin(), progress.first_tries.end(),
                     [](int64_t time) { return time > 0; });
}

void AppendTimes(std::string& out, const std::vector<int64_t>& times) {
  int64_t earliest = std::numeric_limits<int64_t>::max();
  for (const int64_t time : times)
    if (time > 0) earliest = std::min(earliest, time);
  AppendNumber(out, static_cast<uint64_t>(earliest));
  for (const int64_t time : times)
    AppendNumber(out, time > 0 ? static_cast<uint64_t>(time - earliest) + 1 : 0);
}

void ReadTimes(Numbers& numbers, Progress& progress, int64_t earliest) {
  for (size_t left = progress.attempts.size(); left > 0 && numbers.good; --left) {
    const int64_t distance = numbers.Next(0);
    progress.first_tries.push_back(distance > 0 ? earliest + distance - 1 : 0);
  }
}

std::string SettledAndAttempts(const Progress& progress) {
  std::string bytes = Settled(progress);
  AppendNumber(bytes, progress.attempts.size());
  int64_t at = progress.committed;
  for (const auto& [offset, attempts] : progress.attempts) {
    AppendNumber(bytes, static_cast<uint64_t>(offset - at));
    AppendNumber(bytes, attempts);
    at = offset;
  }
  return bytes;
}

void ReadSettledAndAttempts(Numbers& numbers, Progress& progress) {
  const std::string_view form = numbers.Bytes(1);
  if (!numbers.good) return;
  if (form[0] == kRuns)
    ReadRuns(numbers, progress);
  else if (form[0] == kBits)
    ReadBits(numbers, progress);
  else
    numbers.good = form[0] == kNothing;
  if (numbers.good) ReadAttempts(numbers, progress);
}

std::string Encoded(const Section& section, int64_t committed) {
  std::string bytes;
  Append4(bytes, section.id);
  AppendNumber(bytes, static_cast<uint64_t>(section.progress.committed - committed));
  bytes += SettledAndAttempts(section.progress);
  if (section.progress.attempts.empty()) return bytes;
  if (HasTimes(section.progress))
    AppendTimes(bytes, section.progress.first_tries);
  else
    AppendNumber(bytes, 0);
  return bytes;
}

Section ReadSection(Numbers& numbers, int64_t committed) {
  Section section;
  const std::string_view id = numbers.Bytes(4);
  if (numbers.good) section.id = Read4(id);
  section.progress.committed = numbers.Step(committed, 0);
  ReadSettledAndAttempts(numbers, section.progress);
  if (section.progress.attempts.empty() || !numbers.good) return section;
  if (const int64_t earliest = numbers.Next(0); earliest > 0)
    ReadTimes(numbers, section.progress, earliest);
  return section;
}

std::string Encoded(int64_t committed, const std::vector<Section>& sections) {
  const bool nothing = std::all_of(sections.begin(), sections.end(), [&](const Section& section) {
    return section.progress.committed == committed && section.progress.settled.empty() &&
           section.progress.attempts.empty();
  });
  if (nothing) return {};
  std::string bytes;
  AppendNumber(bytes, sections.size());
  for (const auto& section : sections) bytes += Encoded(section, committed);
  return Seal(kPrefixOfGroup, std::move(bytes), committed);
}

// Leaves out half of what `progress` has most of; false: it has nothing.
bool Shorten(Progress& progress) {
  progress.first_tries.clear();
  if (!progress.settled.empty()) {
    progress.settled.resize(progress.settled.size() / 2);
  } else if (!progress.attempts.empty()) {
    progress.attempts.resize(progress.attempts.size() / 2);
  } else {
    return false;
  }
  return true;
}

}  // namespace

std::string EncodeMetadata(const Progress& progress) {
  if (progress.settled.empty() && progress.attempts.empty()) return {};
  std::string bytes = SettledAndAttempts(progress);
  const bool times = HasTimes(progress);
  if (times) AppendTimes(bytes, progress.first_tries);
  return Seal(times ? kPrefixWithTimes : kPrefix, std::move(bytes), progress.committed);
}

std::string EncodeWithin(Progress progress, size_t limit) {
  std::string text = EncodeMetadata(progress);
  if (!FitsMetadata(text.size(), limit / 4 * 3) && !progress.first_tries.empty()) {
    progress.first_tries.clear();
    text = EncodeMetadata(progress);
  }
  while (text.size() > limit && Shorten(progress)) text = EncodeMetadata(progress);
  return text;
}

std::optional<Progress> DecodeMetadata(std::string_view text, int64_t committed) {
  Progress progress{committed, {}, {}};
  if (text.empty()) return progress;
  if (committed < 0 || committed > Numbers::kMost) return std::nullopt;
  const bool times = text.starts_with(kPrefixWithTimes);
  const auto bytes = Open(times ? kPrefixWithTimes : kPrefix, text, committed);
  if (!bytes) return std::nullopt;
  Numbers numbers{*bytes};
  ReadSettledAndAttempts(numbers, progress);
  if (numbers.good && times) {
    const int64_t earliest = numbers.Next(1);
    ReadTimes(numbers, progress, earliest);
  }
  if (!numbers.good || !numbers.rest.empty()) return std::nullopt;
  return progress;
}

uint32_t SubscriptionId(std::string_view name) {
  Crc32 sum;
  sum.Add(name);
  return sum.value();
}

std::string EncodeSections(int64_t committed, std::vector<Section> sections, size_t limit) {
  std::string text = Encoded(committed, sections);
  if (!FitsMetadata(text.size(), limit / 4 * 3)) {
    for (auto& section : sections) section.progress.first_tries.clear();
    text = Encoded(committed, sections);
  }
  while (text.size() > limit) {
    const auto longest =
        std::max_element(sections.begin(), sections.end(), [](const Section& a, const Section& b) {
          return std::pair(a.progress.settled.size(), a.progress.attempts.size()) <
                 std::pair(b.progress.settled.size(), b.progress.attempts.size());
        });
    // Without its section a subscription begins at the committed offset.
    if (longest == sections.end()) return {};
    if (!Shorten(longest->progress)) sections.erase(longest);
    text = Encoded(committed, sections);
  }
  return text;
}

std::optional<std::vector<Section>> DecodeSections(std::string_view text, int64_t committed) {
  if (committed < 0 || committed > Numbers::kMost) return std::nullopt;
  const auto bytes = Open(kPrefixOfGroup, text, committed);
  if (!bytes) return std::nullopt;
  Numbers numbers{*bytes};
  std::vector<Section> sections;
  for (int64_t left = numbers.Next(1); left > 0 && numbers.good; --left)
    sections.push_back(ReadSection(numbers, committed));
  if (!numbers.good || !numbers.rest.empty()) return std::nullopt;
  return sections;
}

}  // namespace outrigger::deliver
