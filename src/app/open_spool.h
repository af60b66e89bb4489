// The spool of the publish flow with its file, and what is shown of it.
//
// Thread: opened on any; the loop's from then on. Lifetime: outlived by loop and sink.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/loop.h"
#include "base/result.h"
#include "config/config.h"
#include "kafka/connection.h"
#include "kafka/record_sink.h"
#include "kafka/tail_reader.h"
#include "publish/spool.h"
#include "store/store.h"
#include "telemetry/conditions.h"
#include "telemetry/metrics.h"

namespace outrigger::app {

class OpenSpool {
 public:
  // Makes the folder where it is not there. `memory`: bytes, half of them for what is on its way to
  // the disk.
  static base::Result<std::unique_ptr<OpenSpool>> Open(base::Loop& loop, kafka::RecordSink sink,
                                                       const config::Kafka& kafka,
                                                       const config::Spool& config, uint64_t memory,
                                                       telemetry::Metrics& metrics,
                                                       telemetry::Conditions& conditions);

  publish::Spool& spool() { return *spool_; }
  void Apply(const config::Spool& config, uint64_t memory);
  void SetKafka(const config::Kafka& kafka);
  // Shows it; once a second or so.
  void Show(const kafka::Connection& connection);
  uint64_t memory_bytes() const { return spool_->putting_bytes() + store::Store::memory_bytes(); }

 private:
  OpenSpool(const config::Spool& config, uint64_t putting, telemetry::Metrics& metrics,
            telemetry::Conditions& conditions);
  kafka::ReadTail TailOf(base::Loop& loop, const config::Kafka& kafka);
  void Tell(const store::Contents& found);
  publish::SpoolOptions OptionsOf(const config::Spool& config) const;

  const std::string folder_;
  uint64_t putting_;
  const telemetry::SpoolMetrics metrics_;
  telemetry::Conditions& conditions_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<publish::Spool> spool_;
  std::unique_ptr<kafka::TailReader> tails_;  // null: there was nothing in the file
};

}  // namespace outrigger::app
