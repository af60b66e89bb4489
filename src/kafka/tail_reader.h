// Reads the latest records of topics: what Kafka has of them already.
//
// Of each partition from a time to its end as of now, and of all of them a bounded number of
// records for a bounded time. Of a partition that was not read to its end there is nothing: a later
// copy of a record may be there. Records of aborted transactions do not count. No group is joined,
// nothing is committed, no topic is made. Only digests are kept, so memory is bounded by their
// number and by what is fetched at once.
//
// Thread: Read on the loop's, and the answer comes on it; the reading is done on a side thread.
// Lifetime: destroying it waits for a question under way, a second at most; no answer comes then.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/loop_calls.h"
#include "base/side_thread.h"
#include "config/config.h"
#include "event/record_digest.h"
#include "kafka/record_sink.h"

namespace outrigger::kafka {

struct TailQuestion {
  std::vector<std::string> topics;
  int64_t since_ms = 0;  // the records' time, since 1970; 0: as far back as the limits allow
};

struct TailRecord {
  event::RecordDigest digest;
  Stored where;

  auto operator<=>(const TailRecord&) const = default;
};

struct Tail {
  std::vector<TailRecord> records;
  bool whole = true;   // the time was enough
  std::string denied;  // a topic that may not be read; empty: there is none
  std::string error;   // the last one; empty: all could be read
};

using OnTail = std::function<void(Tail)>;
// Something that reads tails; one at a time.
using ReadTail = std::function<void(TailQuestion, OnTail)>;

class TailReader {
 public:
  struct Limits {
    // Of all partitions; each has the same share, its last ones.
    size_t records = 100'000;
    std::chrono::milliseconds time{5000};
  };
  // `kafka`: how the producer connects; of the subscriptions' properties none is used.
  TailReader(base::Loop& loop, config::Kafka kafka)
      : TailReader(loop, std::move(kafka), Limits{}) {}
  TailReader(base::Loop& loop, config::Kafka kafka, Limits limits);
  ~TailReader();

  // How readings from now on connect.
  void SetKafka(config::Kafka kafka) { kafka_ = std::move(kafka); }
  void Read(TailQuestion question, OnTail on_tail);

 private:
  config::Kafka kafka_;
  const Limits limits_;
  std::atomic<bool> stop_ = false;
  base::LoopCalls calls_;
  base::SideThread side_;  // ends before what its job uses
};

}  // namespace outrigger::kafka
