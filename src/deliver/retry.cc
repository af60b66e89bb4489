#include "deliver/retry.h"

#include <algorithm>

#include "deliver/verdict.h"

namespace outrigger::deliver {
namespace {

// Uniform in [0, most]; the bias of the remainder is below 2^-20 for every wait there is.
base::Duration Spread(base::Duration most, const Random& random) {
  if (most <= base::Duration::zero()) return base::Duration::zero();
  return base::Duration(
      static_cast<base::Duration::rep>(random() % (static_cast<uint64_t>(most.count()) + 1)));
}

base::Duration AtLeast(base::Duration wait, std::optional<base::Duration> asked) {
  return std::clamp(std::max(wait, asked.value_or(base::Duration::zero())), base::Duration::zero(),
                    kLongestWait);
}

// initial * 2^(tried-1) without ever leaving the range.
base::Duration Bound(const RetryPolicy& policy, uint32_t tried) {
  const base::Duration max = std::min(policy.max, kLongestWait);
  base::Duration bound = std::min(policy.initial, max);
  for (uint32_t n = 1; n < tried && bound < max && bound > base::Duration::zero(); ++n)
    bound = std::min(bound * 2, max);
  return bound;
}

}  // namespace

std::optional<base::Duration> NextWait(const RetryPolicy& policy, uint32_t tried,
                                       std::optional<base::Duration> asked, const Random& random) {
  if (tried < policy.attempts) return AtLeast(Spread(Bound(policy, tried), random), asked);
  const size_t delay = tried - policy.attempts;
  if (delay >= policy.delays.size()) return std::nullopt;
  return AtLeast(policy.delays[delay], asked);
}

base::Duration StuckWait(const RetryPolicy& policy, std::optional<base::Duration> asked,
                         const Random& random) {
  const base::Duration half = std::min(policy.max, kLongestWait) / 2;
  return AtLeast(half + Spread(half, random), asked);
}

}  // namespace outrigger::deliver
