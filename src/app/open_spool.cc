#include "app/open_spool.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "telemetry/log.h"
#include "telemetry/spool_drained.h"

namespace outrigger::app {
namespace {

// Any thread.
void TellSalvage(const telemetry::SpoolMetrics& metrics, const store::Salvage& salvage) {
  metrics[telemetry::SpoolError::kDamaged].Increment();
  metrics.salvaged.Increment(static_cast<double>(salvage.rows));
  metrics.lost.Increment(static_cast<double>(salvage.damaged + salvage.lost));
}

}  // namespace

OpenSpool::OpenSpool(const config::Spool& config, uint64_t putting, telemetry::Metrics& metrics,
                     telemetry::Conditions& conditions)
    : folder_(config.path), putting_(putting), metrics_(metrics.Spool()), conditions_(conditions) {}

base::Result<std::unique_ptr<OpenSpool>> OpenSpool::Open(base::Loop& loop, kafka::RecordSink sink,
                                                         const config::Kafka& kafka,
                                                         const config::Spool& config,
                                                         uint64_t memory,
                                                         telemetry::Metrics& metrics,
                                                         telemetry::Conditions& conditions) {
  std::error_code failed;
  std::filesystem::create_directories(config.path, failed);
  if (failed)
    return base::Fail({base::Code::kUnavailable,
                       "spool.path: " + config.path + " can't be made: " + failed.message(),
                       "it has to be a folder that the sidecar may write to", false});
  std::unique_ptr<OpenSpool> opened(new OpenSpool(config, memory / 2, metrics, conditions));
  store::StoreOptions options;
  options.folder = config.path;
  options.max_bytes = config.max_bytes;
  options.cache_bytes = std::min(options.cache_bytes, memory / 2);
  options.on_commit = [commit = opened->metrics_.commit](base::Duration took) {
    commit.Observe(std::chrono::duration<double>(took).count());
  };
  options.on_salvage = [metrics = opened->metrics_](const store::Salvage& salvage) {
    TellSalvage(metrics, salvage);
  };
  auto store = store::Store::Open(loop, std::move(options));
  if (!store) return base::Fail(store.error());
  opened->store_ = std::move(*store);
  opened->spool_ =
      std::make_unique<publish::Spool>(loop, std::move(sink), *opened->store_, opened->metrics_,
                                       opened->OptionsOf(config), opened->TailOf(loop, kafka));
  opened->Tell(opened->store_->found());
  return opened;
}

kafka::ReadTail OpenSpool::TailOf(base::Loop& loop, const config::Kafka& kafka) {
  if (store_->found().records == 0) return nullptr;
  tails_ = std::make_unique<kafka::TailReader>(loop, kafka);
  return [this](kafka::TailQuestion question, kafka::OnTail on_tail) {
    tails_->Read(std::move(question), std::move(on_tail));
  };
}

void OpenSpool::SetKafka(const config::Kafka& kafka) {
  if (tails_) tails_->SetKafka(kafka);
}

void OpenSpool::Tell(const store::Contents& found) {
  if (found.records > 0)
    telemetry::Log(telemetry::Level::kInfo, "the spool has events of an earlier run",
                   {{"events", std::to_string(found.records)},
                    {"bytes", std::to_string(found.bytes)},
                    {"folder", folder_}});
  if (found.salvage) TellSalvage(metrics_, *found.salvage);
}

publish::SpoolOptions OpenSpool::OptionsOf(const config::Spool& config) const {
  return {.after = config.after, .max_bytes = config.max_bytes, .max_putting = putting_};
}

void OpenSpool::Apply(const config::Spool& config, uint64_t memory) {
  putting_ = memory / 2;  // the cache keeps its size
  spool_->SetOptions(OptionsOf(config));
}

void OpenSpool::Show(const kafka::Connection& connection) {
  spool_->Show();
  telemetry::SpoolState state;
  state.folder = folder_;
  state.records = spool_->records();
  state.bytes = spool_->bytes();
  state.oldest = spool_->oldest();
  state.quarantined = spool_->quarantined();
  state.full = spool_->full();
  state.store_error = spool_->store_error();
  state.kafka_error = connection.connected ? connection.refusal : connection.last_error;
  telemetry::Condition condition = telemetry::SpoolDrained(state);
  conditions_.Set(condition.type, condition.status, std::move(condition.reason),
                  std::move(condition.message));
}

}  // namespace outrigger::app
