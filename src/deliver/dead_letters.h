// Events of a subscription that can't succeed: written to its dead-letter topic, or, where that is
// not possible, shown as stuck for as long as they hold their keys.
//
// Promises: `on_written` comes when Kafka has acknowledged the record, once, and not after Forget.
// A record that the topic refuses for its size is written with less of its story; what is refused
// all the same is tried again, at most every 30 s. A record that has been a dead-letter record
// kMaxGeneration times is not written again (LeavesInTopic).
//
// Thread: the loop's. Lifetime: no report comes after it is destroyed; a Delivery stays until
// on_written or Forget.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/loop.h"
#include "base/loop_calls.h"
#include "config/config.h"
#include "deliver/backlog.h"
#include "deliver/dead_letter.h"
#include "deliver/delivery.h"
#include "kafka/record_sink.h"
#include "telemetry/causes.h"
#include "telemetry/log.h"

namespace outrigger::deliver {

class DeadLetters {
 public:
  struct Hooks {
    std::function<Delivery*(uint64_t id)> find;  // null: it has left
    std::function<void(Delivery&)> on_written;
    std::function<void()> on_changed;  // what is stuck
  };

  // `config` and `backlog` outlive it.
  DeadLetters(base::Loop& loop, const config::Subscription& config, const kafka::RecordSink& sink,
              Backlog& backlog, Hooks hooks);

  // A record that goes round: a copy is in each topic on its way, and none more is written. It says
  // so in the log. `failed`: it could not be delivered once more.
  bool LeavesInTopic(const kafka::Consumed& record, bool failed);

  // The subscription has a dead-letter topic, and the record goes there.
  void Write(Delivery& delivery) { Write(delivery, event::DeadLetterDetail::kWhole); }
  // It has none: the event holds its key.
  void Hold(const Delivery& delivery);
  bool Forget(uint64_t id) { return stuck_.erase(id) > 0; }  // true: it was stuck

  size_t stuck() const { return stuck_.size(); }
  size_t writing() const { return writing_; }
  void AddCauses(telemetry::Causes& causes) const;

 private:
  struct Stuck {
    std::string why;
    uint32_t refused = 0;  // by the dead-letter topic, so many times
    base::Timer again;     // the next try to write it
  };

  void Write(Delivery& delivery, event::DeadLetterDetail detail);
  void OnRefused(Delivery& delivery, event::DeadLetterDetail detail, const kafka::Refusal& refusal);
  void MoveOutOfBacklog(Delivery& delivery);

  base::Loop& loop_;
  const config::Subscription& config_;
  const kafka::RecordSink sink_;
  Backlog& backlog_;
  const Hooks hooks_;
  std::map<uint64_t, Stuck> stuck_;  // by id
  size_t writing_ = 0;
  telemetry::LogLimit left_log_;
  base::LoopCalls calls_;
};

// The first of `count` messages, as an example of all.
std::string AndMore(std::string first, size_t count);

}  // namespace outrigger::deliver
