// Whether a consumer that could fetch does: the part of the watchdog that decides.
//
// A client can come to a standstill without any error: after a topic was deleted and made again it
// may ask the wrong broker for ever, or never join its group again. So it is compared with what the
// cluster says: a partition whose end is elsewhere than our position and that does not move, and a
// group that has not taken us in although nothing is known against it. Then, after `patience`, a
// new client is due; each one that did not help doubles the patience, up to `longest`.
//
// Pure: it is told what was seen and when. Nothing here settles or skips an event. Source: contract
// section 4, "Watchdog".
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "kafka/consumer_handle.h"

namespace outrigger::kafka {

class FetchWatchdog {
 public:
  struct Policy {
    base::Duration patience = std::chrono::seconds(15);  // with a partition that does not move
    base::Duration joining = std::chrono::seconds(30);   // with a group that does not take us in
    base::Duration longest = std::chrono::minutes(10);   // … after many new clients
  };
  FetchWatchdog() = default;
  explicit FetchWatchdog(Policy policy) : policy_(policy) {}

  // A partition that should be fetched: not paused, and with nothing known against it.
  struct Seen {
    TopicPartition at;
    uint64_t epoch = 0;
    int64_t position = -1;  // the next offset that is wanted; -1: not known
    int64_t end = -1;       // behind the newest record, as the cluster says
  };
  struct Stalled {
    Seen seen;
    base::Duration since{};
  };

  // `all` that should be fetched now; one that is left out starts over when it is in again.
  void Look(const std::vector<Seen>& all, base::TimePoint now);
  // `waits`: nothing is known that keeps the group from taking us in, and it has not.
  void LookAtGroup(bool waits, base::TimePoint now);

  // What has lasted for longer than the patience: reasons for a new client.
  std::vector<Stalled> stalled(base::TimePoint now) const;
  std::optional<base::Duration> not_joined(base::TimePoint now) const;  // for how long
  // It has not moved for longer than the patience, or since before the client was renewed.
  bool stands_still(const std::string& partition, base::TimePoint now) const;

  // The client is a new one, with `jitter` (0 to 1) of up to a quarter more patience, so that the
  // members of a group do not all leave it at once.
  void Renewed(double jitter, base::TimePoint now);

 private:
  struct Watched {
    Seen seen;
    base::TimePoint since;
  };
  base::Duration Patience(base::Duration first) const;

  Policy policy_;
  std::map<TopicPartition, Watched> waiting_;
  std::map<TopicPartition, int64_t> suspects_;  // where they were when the client was renewed
  std::optional<base::TimePoint> unjoined_since_;
  bool was_unjoined_ = false;  // … when the client was renewed
  uint32_t renewals_ = 0;      // that have not helped so far
  double jitter_ = 0;
};

}  // namespace outrigger::kafka
