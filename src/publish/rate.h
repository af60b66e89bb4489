// A token bucket for `http.rate`: events per second, with a burst.
//
// Thread: the flow's. May be overdrawn by one request (a batch is taken or refused whole); the debt
// delays the next.
#pragma once

#include <algorithm>
#include <optional>

#include "base/clock.h"
#include "config/config.h"

namespace outrigger::publish {

class Rate {
 public:
  // nullopt: no limit. An unchanged rate gives no new burst.
  void Set(std::optional<config::Rate> rate, base::TimePoint now) {
    if (rate == rate_) return;
    rate_ = rate;
    tokens_ = rate ? rate->burst : 0;
    filled_ = now;
  }

  // Takes `events` when there is at least one token.
  bool Take(double events, base::TimePoint now) {
    if (!rate_) return true;
    Fill(now);
    if (tokens_ < 1) return false;
    tokens_ -= events;
    return true;
  }

  // How long until one event may pass again; zero: now.
  base::Duration Wait(base::TimePoint now) {
    if (!rate_) return base::Duration::zero();
    Fill(now);
    if (tokens_ >= 1) return base::Duration::zero();
    // Rounded up: after it there is a token.
    return std::chrono::ceil<base::Duration>(
        std::chrono::duration<double>((1 - tokens_) / rate_->events));
  }

 private:
  void Fill(base::TimePoint now) {
    const double seconds = std::chrono::duration<double>(now - filled_).count();
    tokens_ = std::min(rate_->burst, tokens_ + seconds * rate_->events);
    filled_ = now;
  }

  std::optional<config::Rate> rate_;
  double tokens_ = 0;
  base::TimePoint filled_;
};

}  // namespace outrigger::publish
