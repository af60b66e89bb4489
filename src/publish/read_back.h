// Reads back, after a crash, what Kafka has of the rows that the spool still holds. An earlier run
// may have sent some of them and not have noted it.
//
// Done once, when Kafka can be reached, where there are rows of an earlier run; nothing is drained
// before it is over. It takes what a TailReader takes at most. What it does not find is sent again.
// Thread: the loop's. Lifetime: outlived by the store; destroyed after the last answer of
// `read_tail`, or that comes no more.
#pragma once

#include <functional>
#include <optional>

#include "kafka/tail_reader.h"
#include "publish/sent_before.h"
#include "store/store.h"

namespace outrigger::publish {

class ReadBack {
 public:
  // `read_tail`: null: nothing is read back.
  ReadBack(store::Store& store, kafka::ReadTail read_tail, std::function<void()> on_over);

  // Begins with the first call, for which Kafka is reachable.
  bool Over();
  // As SentBefore's.
  std::optional<kafka::Stored> Take(const store::Row& row) { return sent_before_.Take(row); }
  // No row of an earlier run is left.
  void Clear() { sent_before_ = {}; }

 private:
  enum class Phase { kIdle, kReading, kOver };

  void Ask(const base::Result<store::SpoolTable::Page>& oldest);
  void OnTail(kafka::Tail tail);

  store::Store& store_;
  const kafka::ReadTail read_tail_;
  const std::function<void()> on_over_;
  Phase phase_ = Phase::kIdle;
  SentBefore sent_before_;
};

// Rows of the spool's beginning → no record of the spool has an earlier time in Kafka, unless its
// caller has chosen that.
int64_t EarliestSent(const std::vector<store::Row>& oldest);

}  // namespace outrigger::publish
