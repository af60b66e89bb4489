// When an event that failed is tried again, and when it is not.
//
// Pure; chance comes from outside, so that tests know it. Full jitter: the wait before try n + 1 is
// uniform in [0, min(max, initial * 2^(n-1))], raised to what the app asked for (Retry-After,
// `delay`), never above kLongestWait. After `attempts` tries come `delays`, one try behind each:
// they are what people mean by "again in ten minutes", so they have no jitter.
// Source: contract section 4; "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/clock.h"

namespace outrigger::deliver {

struct RetryPolicy {
  uint32_t attempts = 5;  // tries in all, before `delays`
  base::Duration initial = std::chrono::milliseconds(200);
  base::Duration max = std::chrono::seconds(30);
  std::vector<base::Duration> delays;
};

// 64 random bits for each call.
using Random = std::function<uint64_t()>;

// The wait after try `tried` (from 1) failed, `asked` being the app's lower bound. nullopt: that
// was the last, the event is for the dead letter topic.
std::optional<base::Duration> NextWait(const RetryPolicy& policy, uint32_t tried,
                                       std::optional<base::Duration> asked, const Random& random);

// The wait of an event that has no more tries and no dead letter topic: it stays, its key waits,
// and it is tried at `max` (reference.md, "Delivery"). The upper half of it, so that keys spread.
base::Duration StuckWait(const RetryPolicy& policy, std::optional<base::Duration> asked,
                         const Random& random);

}  // namespace outrigger::deliver
