// How records leave the spool: Kafka acknowledged them, or had them already, their dead-letter
// topic acknowledged them, or they are in the quarantine.
//
// Thread: the loop's. Lifetime: outlived by sink and store; destroyed, it tells nothing more.
// Promise: a row is removed only after one of these.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/loop.h"
#include "kafka/record_sink.h"
#include "publish/spooled.h"
#include "store/store.h"
#include "telemetry/log.h"

namespace outrigger::publish {

class SpoolExits {
 public:
  enum class Way { kAcked, kAlreadyInKafka, kDeadLettered, kQuarantined };
  struct Hooks {
    std::function<void(const Spooled&, Way, const std::optional<kafka::Stored>&)> on_left;
    std::function<void()> on_removed;  // the store has been asked to remove what has left
    std::function<void(const Spooled&)> on_kept;  // it could not leave, and is to be given again
  };
  SpoolExits(base::Loop& loop, const kafka::RecordSink& sink, store::Store& store, Hooks hooks)
      : loop_(loop), sink_(sink), store_(store), hooks_(std::move(hooks)) {}

  void OnAcked(const Spooled& spooled, const kafka::Stored& where);
  // An earlier run sent it, and Kafka has it there.
  void OnAlreadyInKafka(const Spooled& spooled, const kafka::Stored& where);
  // What the producer reports of a record that it was given.
  void OnReport(Spooled spooled, const kafka::Report& report, event::Record& record);
  void Quarantine(Spooled spooled, std::string reason, std::string detail);
  // Asks the store to remove what has left, which else is done for many at once.
  void Flush();

 private:
  // The producer rejected the record for good.
  void OnRejected(Spooled spooled, const kafka::Refusal& why, event::Record record);
  void Remove(int64_t id);

  base::Loop& loop_;
  const kafka::RecordSink& sink_;
  store::Store& store_;
  const Hooks hooks_;
  std::vector<int64_t> to_remove_;
  base::Timer flush_;
  telemetry::LogLimit log_;
};

}  // namespace outrigger::publish
