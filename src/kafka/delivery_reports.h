// Reports each record exactly once, which frees the room that it took. Closing waits for the last
// report.
//
// Thread: the loop's. Lifetime: a record ends with its report. The table outlives it.
#pragma once

#include <functional>

#include "kafka/graceful_close.h"
#include "kafka/topic_table.h"

namespace outrigger::kafka {

class DeliveryReports {
 public:
  explicit DeliveryReports(TopicTable& topics) : topics_(topics) {}

  void OnStored(Entry* entry, Stored where);
  void Refuse(Entry* entry, Refusal why);
  // A report may end what `why` was copied from.
  template <typename Entries>
  void RefuseAll(const Entries& entries, Refusal why) {
    for (Entry* entry : entries) Refuse(entry, why);
  }

  bool closing() const { return close_.phase() != GracefulClose::Phase::kOpen; }
  // As GracefulClose::Begin; what `on_late` gives up, it refuses.
  void Close(base::Loop& loop, base::Duration budget, std::function<void()> on_late,
             std::function<void()> on_done);

 private:
  void Report(Entry* entry, const kafka::Report& report);

  TopicTable& topics_;
  GracefulClose close_;
};

}  // namespace outrigger::kafka
