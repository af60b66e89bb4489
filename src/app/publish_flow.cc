#include "app/publish_flow.h"

#include <algorithm>
#include <future>

#include "app/memory.h"
#include "http/open_files.h"
#include "telemetry/kafka_health.h"
#include "telemetry/log.h"

namespace outrigger::app {
namespace {

using base::MemoryShare;
using telemetry::Level;
using telemetry::Log;
using telemetry::Status;

// The app counts as quiet when it has published nothing for this time.
constexpr auto kQuiet = std::chrono::seconds(1);
// The part of the shutdown budget that is reserved for answering and flushing at the end.
constexpr auto kFlushShare = std::chrono::seconds(5);
// The time for closing the Kafka client after the flush: its last request to the cluster.
constexpr std::chrono::milliseconds kCloseShare{1000};
constexpr auto kTick = std::chrono::seconds(1);
// Of what waits for Kafka one topic may have half, and of that half the events of NDJSON streams a
// part for their number and a part for their lines.
constexpr size_t kTopicShare = 2;
constexpr size_t kStreamShare = 2;
constexpr size_t kLineShare = 4;
// With a spool, streams have a part of its memory instead of a topic's half: where the disk does
// not keep up they wait, and single events would be answered 503.
constexpr size_t kSpoolShare = 4;
static_assert(1.0 / kStreamShare + 1.0 / kLineShare < 1);
// What an event that waits takes at the least, and so does a caller who waits for another's.
constexpr size_t kEvent = kafka::kLeastMemory;

std::string Join(const std::vector<std::string>& parts) {
  std::string joined;
  for (const auto& part : parts) joined += (joined.empty() ? "" : ",") + part;
  return joined;
}

publish::PublisherOptions OptionsOf(const config::Config& config,
                                    const base::MemoryBudget& budget) {
  publish::PublisherOptions options;
  options.source = config.kafka.client_id;
  options.ack_timeout = config.http.ack_timeout;
  const uint64_t kafka = budget.of(MemoryShare::kKafka);
  const uint64_t topic = kafka / kTopicShare;
  const uint64_t streams =
      config.spool.enabled() ? budget.of(MemoryShare::kSpool) / kSpoolShare : topic;
  options.known_bytes = std::min(options.known_bytes, budget.of(MemoryShare::kKnownEvents));
  options.max_joined = std::min(options.max_joined, kafka / kEvent);
  options.max_undecided = std::min(options.max_undecided, streams / kStreamShare / kEvent);
  options.max_undecided_bytes = std::min(options.max_undecided_bytes, streams / kLineShare);
  return options;
}

http::Limits LimitsOf(const config::Http& http, const base::MemoryBudget& budget) {
  http::Limits limits;
  limits.max_header = http.max_header;
  limits.max_body = http.max_body;
  limits.max_bodies = http.max_bodies;
  limits.max_answers = http.max_answers;
  BoundByBudget(budget, limits);
  limits.spare_files = http::SpareFiles();
  limits.max_trailer = http.max_trailer;
  limits.max_connections = http.max_connections;
  limits.head_timeout = http.head_timeout;
  limits.body_timeout = http.body_timeout;
  limits.idle_timeout = http.idle_timeout;
  return limits;
}

}  // namespace

PublishFlow::PublishFlow(const config::Config& config, const base::MemoryBudget& budget,
                         const telemetry::MemoryUse& memory_use, telemetry::Metrics& metrics,
                         telemetry::Conditions& conditions)
    : budget_(budget),
      memory_use_(memory_use),
      metrics_(metrics),
      conditions_(conditions),
      kafka_enabled_(config.kafka.enabled),
      kafka_(config.kafka),
      brokers_(Join(kafka_.brokers)) {}

base::Result<std::unique_ptr<PublishFlow>> PublishFlow::Create(
    const config::Config& config, const base::MemoryBudget& budget,
    const telemetry::MemoryUse& memory_use, telemetry::Metrics& metrics,
    telemetry::Conditions& conditions) {
  std::unique_ptr<PublishFlow> flow(
      new PublishFlow(config, budget, memory_use, metrics, conditions));
  if (config.kafka.enabled) {
    kafka::ProducerOptions options;
    options.kafka = config.kafka;
    options.max_bytes = budget.of(MemoryShare::kKafka);
    options.kept_on_disk = config.spool.enabled();
    auto producer = kafka::Producer::Create(flow->loop_, std::move(options));
    if (!producer) return base::Fail(producer.error());
    flow->producer_ = std::move(*producer);
    flow->producer_->OnConnectionChange(
        [self = flow.get()](const kafka::Connection&) { self->OnConnectionChange(); });
    if (config.spool.enabled()) {
      auto spool = OpenSpool::Open(flow->loop_, flow->producer_->sink(), config.kafka, config.spool,
                                   budget.of(MemoryShare::kSpool), metrics, conditions);
      if (!spool) return base::Fail(spool.error());
      flow->spool_ = std::move(*spool);
      flow->spool_->Show(flow->producer_->connection());
    }
  }
  flow->publisher_ = std::make_unique<publish::Publisher>(
      flow->loop_, flow->producer_ ? flow->producer_->sink() : kafka::RecordSink(),
      flow->spool_ ? &flow->spool_->spool() : nullptr, metrics, OptionsOf(config, budget));
  flow->ingress_ = std::make_unique<publish::Ingress>(
      flow->loop_, *flow->publisher_, flow->spool_ ? &flow->spool_->spool() : nullptr, metrics,
      [self = flow.get()] {
        return telemetry::KafkaHealthJson(self->kafka_enabled(), self->kafka_connected());
      },
      publish::IngressOptions{});
  flow->server_ = std::make_unique<http::Server>(flow->loop_, LimitsOf(config.http, budget),
                                                 flow->ingress_->handler());
  if (!config.kafka.enabled) {
    conditions.Set("KafkaConnected", Status::kFalse, "Disabled",
                   "KAFKA_ENABLED=false: events are checked, answered 202 and discarded");
  } else {
    conditions.Set("KafkaConnected", Status::kUnknown, "Connecting",
                   "looking for " + flow->brokers_);
  }
  return flow;
}

PublishFlow::~PublishFlow() {
  loop_.Stop();
  if (thread_.joinable()) thread_.join();
  // The requests that the server still holds use the publisher, so they are destroyed first.
  server_.reset();
}

void PublishFlow::Start() {
  tick_ = loop_.After(kTick, [this] { Tick(); });
  thread_ = loop_.RunOnThread("publish");
}

base::Result<uint16_t> PublishFlow::Listen(const config::Http& http) {
  base::Result<uint16_t> port = 0;
  loop_.Call([&] {
    port = server_->ListenTcp(http.listen);
    if (!port || http.unix_socket.empty()) return;
    if (auto listening = server_->ListenUnix(http.unix_socket); !listening)
      port = base::Fail(listening.error());
  });
  return port;
}

void PublishFlow::Apply(const config::Config& config, const base::MemoryBudget& budget,
                        std::string token, std::shared_ptr<const publish::Routes> routes) {
  loop_.Call([&] {
    budget_ = budget;
    if (producer_) ApplyKafka(config);
    publisher_->SetRoutes(std::move(routes));
    publisher_->SetOptions(OptionsOf(config, budget_));
    if (spool_) spool_->Apply(config.spool, budget_.of(MemoryShare::kSpool));
    server_->SetLimits(LimitsOf(config.http, budget_));
    ingress_->SetOptions(
        {config.http.max_body, std::move(token), config.http.raw_topics, config.http.rate});
  });
}

void PublishFlow::ApplyKafka(const config::Config& config) {
  producer_->SetMaxBytes(budget_.of(MemoryShare::kKafka));
  if (kafka_.SameClients(config.kafka)) return;
  kafka_ = config.kafka;
  brokers_ = Join(kafka_.brokers);
  producer_->SetKafka(kafka_);
  if (spool_) spool_->SetKafka(kafka_);
}

void PublishFlow::OnConnectionChange() {
  ShowConnection();
  if (spool_) spool_->spool().OnConnectionChange();
}

void PublishFlow::ShowConnection() {
  const kafka::Connection& connection = producer_->connection();
  metrics_.KafkaConnected().Set(connection.connected ? 1 : 0);
  kafka_connected_.store(connection.connected, std::memory_order_relaxed);
  if (connection.connected) {
    ShowRefusal(connection);
    return;
  }
  // A client that has just started to connect is not disconnected yet.
  if (loop_.Now() - connection.since < kTick) return;
  const std::string why = connection.last_error.empty() ? "no answer" : connection.last_error;
  const bool denied = why.find("uthentication") != std::string::npos;
  if (conditions_.Set("KafkaConnected", Status::kFalse,
                      denied ? "AuthenticationFailed" : "BrokersUnreachable", why))
    Log(Level::kWarn,
        spool_ ? "Kafka can't be reached; events are kept in the spool until it is back"
               : "Kafka can't be reached; events are answered 503 until it is back",
        {{"brokers", brokers_}, {"reason", why}});
}

void PublishFlow::ShowRefusal(const kafka::Connection& connection) {
  if (connection.refusal.empty()) {
    if (conditions_.Set("KafkaConnected", Status::kTrue, "Connected", "connected to " + brokers_))
      Log(Level::kInfo, "Kafka is connected", {{"brokers", brokers_}});
    return;
  }
  // A single topic that refuses records does not make Kafka unreachable.
  if (conditions_.Set("KafkaConnected", connection.refused ? Status::kFalse : Status::kTrue,
                      connection.refused ? "PublishingRefused" : "TopicRefused",
                      "connected to " + brokers_ + ", but: " + connection.refusal))
    Log(Level::kWarn, "Kafka refuses to take events", {{"reason", connection.refusal}});
}

void PublishFlow::Tick() {
  tick_ = loop_.After(kTick, [this] { Tick(); });
  if (producer_) {
    ShowConnection();
    metrics_.ProducerWaitingRecords().Set(static_cast<double>(producer_->waiting_records()));
    metrics_.ProducerWaitingBytes().Set(static_cast<double>(producer_->waiting_bytes()));
    metrics_.ProducerRebuilds().Increment(static_cast<double>(producer_->rebuilds() - rebuilds_));
    rebuilds_ = producer_->rebuilds();
  }
  if (spool_) spool_->Show(producer_->connection());
  metrics_.HttpConnections().Set(static_cast<double>(server_->connections()));
  ShowMemory();
}

void PublishFlow::ShowMemory() {
  const uint64_t waiting = producer_ ? producer_->waiting_bytes() : 0;
  memory_use_.Set(MemoryShare::kKafka, waiting);
  if (spool_) memory_use_.Set(MemoryShare::kSpool, spool_->memory_bytes());
  memory_use_.Set(MemoryShare::kKnownEvents, publisher_->known_bytes());
  memory_use_.Set(MemoryShare::kBodies, server_->buffered());
  memory_use_.Set(MemoryShare::kAnswers, server_->answers());
  flood_gate_.Look(waiting + server_->buffered() + server_->answers(),
                   waiting + server_->TakePeak());
}

std::string PublishFlow::WaitForKafka(std::chrono::milliseconds at_most,
                                      const std::function<bool()>& give_up) {
  std::promise<std::string> answer;
  base::Timer check;
  const auto end = loop_.Now() + at_most;
  std::function<void()> look = [&] {
    const auto& connection = producer_->connection();
    if (connection.connected) return answer.set_value({});
    if (loop_.Now() >= end || give_up()) {
      return answer.set_value(connection.last_error.empty() ? "no answer from " + brokers_
                                                            : connection.last_error);
    }
    check = loop_.After(std::chrono::milliseconds(20), look);
  };
  loop_.Post(look);
  std::string why = answer.get_future().get();
  loop_.Call([&] { check.Cancel(); });
  return why;
}

void PublishFlow::Shutdown(std::chrono::milliseconds budget) {
  loop_.Call([&] {
    drain_asked_ = loop_.Now();
    drain_by_ = drain_asked_ + budget;
    server_->AnnounceClose();
    DrainWhenQuiet();
  });
  // The loop stops when the drain is over.
  if (thread_.joinable()) thread_.join();
  server_.reset();  // and with it the socket's file
}

void PublishFlow::DrainWhenQuiet() {
  const base::TimePoint now = loop_.Now();
  const base::TimePoint quiet_at = std::max(publisher_->last_publish(), drain_asked_) + kQuiet;
  const base::TimePoint latest =
      std::max(drain_asked_ + (drain_by_ - drain_asked_) / 2, drain_by_ - kFlushShare);
  const base::TimePoint next = std::min(quiet_at, latest);
  if (next <= now) return Drain();
  drain_timer_ = loop_.After(next - now, [this] { DrainWhenQuiet(); });
}

void PublishFlow::Drain() {
  server_->Drain([this] { Flush(); });
  // An answer that never comes must not hold up the flush.
  const base::Duration wait = std::max<base::Duration>((drain_by_ - loop_.Now()) / 2, kTick / 10);
  drain_timer_ = loop_.After(wait, [this] { Flush(); });
}

std::chrono::milliseconds PublishFlow::DrainTimeLeft() const {
  return std::max(std::chrono::milliseconds(0),
                  std::chrono::duration_cast<std::chrono::milliseconds>(drain_by_ - loop_.Now()));
}

void PublishFlow::Flush() {
  if (std::exchange(flushing_, true)) return;
  drain_timer_.Cancel();
  if (!producer_) return loop_.Stop();
  if (!spool_) return CloseProducer();
  // A disk that does not answer must not hold up what the producer still has.
  drain_timer_ = loop_.After(DrainTimeLeft() / 2, [this] { CloseProducer(); });
  spool_->spool().Close([this] { CloseProducer(); });
}

void PublishFlow::CloseProducer() {
  if (std::exchange(closing_producer_, true)) return;
  drain_timer_.Cancel();
  const auto left = DrainTimeLeft();
  auto flush = left - std::min(kCloseShare, left / 3);
  // What the producer has is on the disk: without Kafka there is nothing to wait for.
  if (spool_ && !producer_->connection().connected) flush = std::chrono::milliseconds(0);
  producer_->Close(flush, [this] {
    if (!spool_) return loop_.Stop();
    drain_timer_ = loop_.After(kCloseShare, [this] { loop_.Stop(); });
    spool_->spool().Finish([this] { loop_.Stop(); });
  });
}

}  // namespace outrigger::app
