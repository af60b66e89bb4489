// Regular expressions of schemas: ECMAScript's syntax as far as RE2 has it, in linear time.
//
// Linear is not cheap: where a text makes RE2's automaton too large, a byte takes not one
// nanosecond but hundreds. So each expression measures what it costs, and says before what a text
// would cost.
//
// Thread: any.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}

namespace outrigger::event {

class Regex {
 public:
  explicit Regex(std::string_view pattern);
  Regex(Regex&&) noexcept;
  ~Regex();

  // Why the pattern can't be used; empty where it can.
  std::string Problem() const;
  // Whether it matches anywhere in `text`.
  bool Matches(std::string_view text) const;
  // About how long that takes, in nanoseconds.
  size_t Cost(std::string_view text) const;

 private:
  bool Search(std::string_view text) const;
  // Nanoseconds of this thread for each byte.
  uint32_t Measure(std::string_view text, bool& matches) const;

  std::unique_ptr<re2::RE2> regex_;
  size_t size_ = 0;  // in RE2's instructions
  mutable std::atomic<uint32_t> calls_{0};
  mutable std::atomic<uint32_t> per_byte_{0};  // nanoseconds, of late
};

// Whether RE2 takes `pattern` as a regular expression, of whatever size.
bool IsRegex(std::string_view pattern);

// Whether `pattern` repeats a repetition without bound, (a+)+: exponential time in validators that
// backtrack.
bool RepeatsRepetition(std::string_view pattern);

}  // namespace outrigger::event
