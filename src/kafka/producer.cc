#include "kafka/producer.h"

#include "kafka/producer_core.h"

namespace outrigger::kafka {

Producer::Producer(std::unique_ptr<Core> core) : core_(std::move(core)) {}
Producer::~Producer() = default;

base::Result<std::unique_ptr<Producer>> Producer::Create(base::Loop& loop,
                                                         ProducerOptions options) {
  auto core = std::make_unique<Core>(loop, std::move(options));
  if (auto open = core->Open(); !open) return base::Fail(open.error());
  return std::unique_ptr<Producer>(new Producer(std::move(core)));
}

std::optional<Refusal> Producer::Admit(const event::Record& record) const {
  return core_->Admit(record);
}
const Entry* Producer::Produce(event::Record record, OnReport on_report) {
  return core_->Produce(std::move(record), std::move(on_report));
}
void Producer::SetKafka(const config::Kafka& kafka) { core_->SetKafka(kafka); }
void Producer::SetMaxBytes(size_t max_bytes) { core_->topics().SetMaxBytes(max_bytes); }
RecordSink Producer::sink() {
  return {
      .send =
          [core = core_.get()](event::Record record, OnReport on_report) {
            return core->Produce(std::move(record), std::move(on_report));
          },
      .copy = [](const Entry& entry) { return entry.Whole(); },
      .partition = [core = core_.get()](
                       const event::Record& record) { return core->topics().PartitionOf(record); },
      .admit = [core = core_.get()](const event::Record& record) { return core->Admit(record); },
      .connection = [core = core_.get()]() -> const Connection& {
        return core->brokers().connection();
      }};
}
const Connection& Producer::connection() const { return core_->brokers().connection(); }
void Producer::OnConnectionChange(std::function<void(const Connection&)> on_change) {
  core_->brokers().OnChange(std::move(on_change));
}
size_t Producer::waiting_records() const { return core_->topics().held().records; }
size_t Producer::waiting_bytes() const { return core_->topics().held().memory; }
size_t Producer::topics() const { return core_->topics().topics().size(); }
uint64_t Producer::rebuilds() const { return core_->rebuilds(); }
void Producer::Close(std::chrono::milliseconds budget, std::function<void()> on_done) {
  core_->Close(budget, std::move(on_done));
}
void* Producer::native_handle() const { return core_->client(); }

}  // namespace outrigger::kafka
