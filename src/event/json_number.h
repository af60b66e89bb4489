// The exact value of a JSON number, of any length and range: compared digit by digit, never
// rounded.
//
// Pure; a view into the number's text.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace outrigger::event {

class JsonNumber {
 public:
  // `token` is a number of strict JSON and outlives this.
  explicit JsonNumber(std::string_view token);

  // Negative, zero or positive as this is less than, equal to or more than `other`.
  int Compare(const JsonNumber& other) const;
  // Numbers of one value have one hash, however they are written.
  size_t Hash() const;

  bool IsZero() const { return count_ == 0; }
  bool IsPositive() const { return count_ > 0 && !negative_; }
  bool IsInteger() const { return magnitude_ >= count_; }
  // Whether it can divide: MultipleOf needs at most 18 significant digits.
  bool IsDivisor() const { return IsPositive() && count_ <= kMaxDivisorDigits; }
  // Whether this divided by `divisor` is an integer.
  bool IsMultipleOf(const JsonNumber& divisor) const;
  // The value as a size where it is an integer from 0 on; what is larger is the largest.
  std::optional<size_t> ToSize() const;

 private:
  static constexpr int64_t kMaxDivisorDigits = 18;

  // The significant digit at `index`, from 0 to 9.
  unsigned Digit(int64_t index) const;
  uint64_t Remainder(uint64_t divisor) const;
  uint64_t Digits() const;  // at most 18 of them, as a number

  // The value is 0.<significant digits> times ten to the `magnitude_`.
  std::string_view whole_, fraction_;
  bool negative_ = false;
  int64_t first_ = 0;  // of the digits of whole_ and fraction_, the first that is not zero
  int64_t count_ = 0;  // how many there are up to the last that is not zero; 0: the value is 0
  int64_t magnitude_ = 0;
};

}  // namespace outrigger::event
