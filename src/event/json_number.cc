#include "event/json_number.h"

#include <algorithm>
#include <functional>

namespace outrigger::event {
namespace {

// Above every plausible exponent, and far below overflow.
constexpr int64_t kMaxExponent = 1'000'000'000'000'000'000;

using Wide = unsigned __int128;

int64_t Exponent(std::string_view digits) {
  const bool negative = digits.front() == '-';
  if (negative || digits.front() == '+') digits.remove_prefix(1);
  int64_t value = 0;
  for (const char c : digits) value = std::min(value * 10 + (c - '0'), kMaxExponent / 10 - 1);
  return negative ? -value : value;
}

uint64_t Times(uint64_t a, uint64_t b, uint64_t divisor) {
  return static_cast<uint64_t>(Wide{a} * b % divisor);
}

// Ten to the `exponent`, which is not negative, modulo `divisor`.
uint64_t PowerOfTen(int64_t exponent, uint64_t divisor) {
  uint64_t power = 10 % divisor;
  uint64_t result = 1 % divisor;
  for (; exponent > 0; exponent /= 2) {
    if (exponent % 2 == 1) result = Times(result, power, divisor);
    power = Times(power, power, divisor);
  }
  return result;
}

}  // namespace

JsonNumber::JsonNumber(std::string_view token) {
  negative_ = token.front() == '-';
  if (negative_) token.remove_prefix(1);
  const size_t e = token.find_first_of("eE");
  const std::string_view digits = token.substr(0, e);
  const size_t point = digits.find('.');
  whole_ = digits.substr(0, point);
  if (point != std::string_view::npos) fraction_ = digits.substr(point + 1);
  int64_t last = static_cast<int64_t>(whole_.size() + fraction_.size());
  while (last > 0 && Digit(last - 1) == 0) --last;
  while (first_ < last && Digit(0) == 0) ++first_;
  count_ = last - first_;
  if (count_ == 0) {
    negative_ = false;
    return;
  }
  magnitude_ = static_cast<int64_t>(whole_.size()) - first_;
  if (e != std::string_view::npos) magnitude_ += Exponent(token.substr(e + 1));
}

unsigned JsonNumber::Digit(int64_t index) const {
  const auto at = static_cast<size_t>(index + first_);
  return static_cast<unsigned>((at < whole_.size() ? whole_[at] : fraction_[at - whole_.size()]) -
                               '0');
}

int JsonNumber::Compare(const JsonNumber& other) const {
  const auto sign = [](const JsonNumber& number) {
    return number.IsZero() ? 0 : number.negative_ ? -1 : 1;
  };
  if (sign(*this) != sign(other)) return sign(*this) - sign(other);
  const int more = negative_ ? -1 : 1;
  if (magnitude_ != other.magnitude_) return magnitude_ > other.magnitude_ ? more : -more;
  for (int64_t i = 0; i < std::min(count_, other.count_); ++i)
    if (Digit(i) != other.Digit(i)) return Digit(i) > other.Digit(i) ? more : -more;
  // Neither ends with a zero, so the longer one is further from it.
  if (count_ == other.count_) return 0;
  return count_ > other.count_ ? more : -more;
}

size_t JsonNumber::Hash() const {
  size_t hash = std::hash<int64_t>()(negative_ ? -magnitude_ - 1 : magnitude_);
  for (int64_t i = 0; i < count_; ++i) hash = hash * 1099511628211U + Digit(i) + 1;
  return hash;
}

uint64_t JsonNumber::Remainder(uint64_t divisor) const {
  uint64_t rest = 0;
  for (int64_t i = 0; i < count_; ++i)
    rest = static_cast<uint64_t>((Wide{rest} * 10 + Digit(i)) % divisor);
  return rest;
}

uint64_t JsonNumber::Digits() const {
  uint64_t value = 0;
  for (int64_t i = 0; i < count_; ++i) value = value * 10 + Digit(i);
  return value;
}

bool JsonNumber::IsMultipleOf(const JsonNumber& divisor) const {
  if (IsZero()) return true;
  // Both are an integer that does not end with a zero, times a power of ten.
  const int64_t tens = (magnitude_ - count_) - (divisor.magnitude_ - divisor.count_);
  if (tens < 0) return false;
  const uint64_t number = divisor.Digits();
  return Times(Remainder(number), PowerOfTen(tens, number), number) == 0;
}

std::optional<size_t> JsonNumber::ToSize() const {
  if (negative_ || !IsInteger()) return {};
  if (magnitude_ > kMaxDivisorDigits) return SIZE_MAX;
  size_t value = Digits();
  for (int64_t i = count_; i < magnitude_; ++i) value *= 10;
  return value;
}

}  // namespace outrigger::event
