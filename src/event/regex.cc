#include "event/regex.h"

#include <re2/re2.h>

#include <time.h>

#include <algorithm>
#include <array>
#include <utility>

namespace outrigger::event {
namespace {

// Unicode's long names of general categories, which ECMAScript takes and RE2 does not.
constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kCategories{
    {{"Letter", "L"},
     {"Lowercase_Letter", "Ll"},
     {"Uppercase_Letter", "Lu"},
     {"Mark", "M"},
     {"Number", "N"},
     {"Decimal_Number", "Nd"},
     {"digit", "Nd"},
     {"Punctuation", "P"},
     {"Symbol", "S"},
     {"Separator", "Z"},
     {"Space_Separator", "Zs"},
     {"Other", "C"}}};

// ECMAScript's \uXXXX, \u{X…}, \cX, (?<name> and long names of categories as RE2 writes them.
std::string ForRe2(std::string_view pattern) {
  std::string out;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern.substr(i, 3) == "(?<" && pattern.substr(i + 3, 1) != "=" &&
        pattern.substr(i + 3, 1) != "!") {
      out += "(?P<";
      i += 2;
      continue;
    }
    if (pattern[i] != '\\' || i + 1 >= pattern.size()) {
      out += pattern[i];
      continue;
    }
    const char escape = pattern[++i];
    const std::string_view rest = pattern.substr(i + 1);
    if (escape == 'u' && rest.starts_with('{')) {
      out += "\\x";
    } else if (escape == 'u' && rest.size() >= 4) {
      out.append("\\x{").append(rest.substr(0, 4)).append("}");
      i += 4;
    } else if (escape == 'c' && !rest.empty()) {
      static constexpr char kHex[] = "0123456789ABCDEF";
      out.append("\\x").append(1, kHex[(rest[0] & 0x1F) / 16]).append(1, kHex[rest[0] & 0x0F]);
      ++i;
    } else {
      out.append("\\").append(1, escape);
      if ((escape != 'p' && escape != 'P') || !rest.starts_with('{')) continue;
      for (const auto& [long_name, name] : kCategories) {
        if (rest.substr(1, long_name.size() + 1) != std::string(long_name) + "}") continue;
        out.append("{").append(name).append("}");
        i += long_name.size() + 2;
        break;
      }
    }
  }
  return out;
}

// Behind the atom of a regular expression that begins at `at`: a character, an escape, a class or a
// group.
size_t SkipAtom(std::string_view pattern, size_t at) {
  size_t depth = 0;
  for (; at < pattern.size(); ++at) {
    const char c = pattern[at];
    if (c == '\\') {
      ++at;
    } else if (c == '[') {
      ++at;
      if (at < pattern.size() && pattern[at] == '^') ++at;
      if (at < pattern.size() && pattern[at] == ']') ++at;
      for (; at < pattern.size() && pattern[at] != ']'; ++at)
        if (pattern[at] == '\\') ++at;
    } else if (c == '(') {
      ++depth;
    } else if (c == ')' && depth > 0) {
      --depth;
    }
    if (depth == 0) break;
  }
  return std::min(at + 1, pattern.size());
}

// Where the group that opens at `at` has its content: behind (, (?:, (?P<name>.
size_t ContentOf(std::string_view pattern, size_t at) {
  if (pattern.substr(at, 2) != "(?") return at + 1;
  return std::min(pattern.find_first_of(":>)", at), pattern.size() - 1) + 1;
}

bool RepeatsAt(std::string_view pattern, size_t at) {
  return at < pattern.size() && (pattern[at] == '*' || pattern[at] == '+');
}

RE2::Options Re2Options(int64_t memory) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(memory);
  return options;
}

// In bytes times instructions. Below the first the clock costs more than the match; above the
// second, 25 ms at worst, the time of a match is always measured first.
constexpr size_t kWorthMeasuring = 20'000;
constexpr size_t kTooMuchUnseen = 4'000'000;
constexpr size_t kSample = 4096;
// Nanoseconds of any match.
constexpr size_t kFixed = 50;

// Of this thread, so that a busy machine makes no expression slow.
int64_t CpuNanoseconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

Regex::Regex(std::string_view pattern)
    : regex_(std::make_unique<RE2>(ForRe2(pattern), Re2Options(1 << 20))) {
  if (regex_->ok()) size_ = static_cast<size_t>(regex_->ProgramSize());
}
Regex::Regex(Regex&& other) noexcept : regex_(std::move(other.regex_)), size_(other.size_) {}
Regex::~Regex() = default;

std::string Regex::Problem() const { return regex_->ok() ? std::string() : regex_->error(); }

bool Regex::Search(std::string_view text) const {
  return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *regex_);
}

uint32_t Regex::Measure(std::string_view text, bool& matches) const {
  const int64_t begin = CpuNanoseconds();
  matches = Search(text);
  const auto took = static_cast<size_t>(CpuNanoseconds() - begin);
  return static_cast<uint32_t>(took / std::max<size_t>(text.size(), 128));
}

bool Regex::Matches(std::string_view text) const {
  if (text.size() * size_ < kWorthMeasuring &&
      calls_.fetch_add(1, std::memory_order_relaxed) % 256 != 0)
    return Search(text);
  bool matches = false;
  const uint32_t took = Measure(text, matches);
  const uint32_t before = per_byte_.load(std::memory_order_relaxed);
  per_byte_.store(took / 4 + before / 4 * 3, std::memory_order_relaxed);
  return matches;
}

size_t Regex::Cost(std::string_view text) const {
  uint32_t per_byte = std::max<uint32_t>(per_byte_.load(std::memory_order_relaxed), 2);
  if (text.size() * size_ > kTooMuchUnseen) {
    const size_t sample = std::min(kSample, text.size() / 4);
    for (const size_t at : {size_t{0}, text.size() / 2, text.size() - sample}) {
      bool ignored = false;
      // Twice: the first time the automaton may be built.
      Measure(text.substr(at, sample), ignored);
      per_byte = std::max(per_byte, Measure(text.substr(at, sample), ignored));
    }
  }
  return kFixed + text.size() * per_byte;
}

bool IsRegex(std::string_view pattern) {
  // Without memory: only whether it can be parsed matters.
  const RE2 regex(ForRe2(pattern), Re2Options(4096));
  return regex.ok() || regex.error_code() == RE2::ErrorPatternTooLarge;
}

// A group that is nothing but a repetition and is itself repeated without bound: (a+)+, (.*)*. Not
// (-[a-z]+)*, where the hyphen says which repetition a character belongs to.
bool RepeatsRepetition(std::string_view pattern) {
  for (size_t at = 0; at < pattern.size();) {
    if (pattern[at] != '(') {
      at = SkipAtom(pattern, at);
      continue;
    }
    size_t close = SkipAtom(pattern, at) - 1;
    size_t content = ContentOf(pattern, at);
    if (RepeatsAt(pattern, close + 1)) {
      // ((a+))+ is (a+)+.
      while (content < close && pattern[content] == '(' && SkipAtom(pattern, content) == close) {
        content = ContentOf(pattern, content);
        --close;
      }
      const size_t repetition = SkipAtom(pattern, content);
      const bool lazy = repetition + 1 < close && pattern[repetition + 1] == '?';
      if (RepeatsAt(pattern, repetition) && repetition + (lazy ? 2 : 1) == close) return true;
    }
    at = ContentOf(pattern, at);
  }
  return false;
}

}  // namespace outrigger::event
