#include "kafka/consumer.h"

#include <utility>

#include "kafka/consumer_core.h"

namespace outrigger::kafka {

Consumer::Consumer(std::unique_ptr<Core> core) : core_(std::move(core)) {}
Consumer::~Consumer() = default;

base::Result<std::unique_ptr<Consumer>> Consumer::Create(base::Loop& loop, ConsumerOptions options,
                                                         ConsumerHandler handler) {
  auto core = std::make_unique<Core>(loop, std::move(options), std::move(handler));
  if (auto open = core->Open(); !open) return base::Fail(open.error());
  return std::unique_ptr<Consumer>(new Consumer(std::move(core)));
}

void Consumer::Pause(const TopicPartition& at) { core_->membership().Pause(at); }
void Consumer::Resume(const TopicPartition& at) { core_->membership().Resume(at); }
void Consumer::SetKafka(const config::Kafka& kafka) { core_->SetKafka(kafka); }
void Consumer::SetTopics(std::vector<std::string> topics, std::vector<std::string> never) {
  core_->SetTopics(std::move(topics), std::move(never));
}
void Consumer::SetPolling(bool polling) { core_->SetPolling(polling); }
void Consumer::Commit(std::vector<Offset> offsets, OnCommitted on_done) {
  core_->commits().Commit(std::move(offsets), std::move(on_done));
}
std::optional<Consumer::Watermarks> Consumer::WatermarksOf(const TopicPartition& at) const {
  return core_->WatermarksOf(at);
}
const Connection& Consumer::connection() const { return core_->health().connection(); }
bool Consumer::joined() const { return core_->membership().joined(); }
const Troubles& Consumer::troubles() const { return core_->health().troubles(); }
uint64_t Consumer::rebuilds() const { return core_->rebuilds(); }
size_t Consumer::fetched_bytes() const { return core_->fetched_bytes(); }
void Consumer::Close(std::function<void()> on_closed) { core_->Close(std::move(on_closed)); }
void* Consumer::native_handle() const { return core_->client(); }

}  // namespace outrigger::kafka
