#include "deliver/subscription.h"

#include "deliver/read_record.h"
#include "event/data.h"

namespace outrigger::deliver {
namespace {

using telemetry::ConsumerOutcome;

// What the lanes may hold over all partitions; fetching goes on below half of it.
constexpr size_t kMaxEvents = 20'000;
constexpr size_t kMaxBytes = 32 << 20;
// What an event costs beside its bytes: its objects, its places in maps, a lane.
constexpr size_t kEventBytes = 2048;
constexpr auto kPatience = std::chrono::milliseconds(250);

// No more than are needed: the app has not asked for many.
http::ClientLimits Connections(size_t count) {
  http::ClientLimits limits;
  limits.max_connections = count;
  return limits;
}

CircuitPolicy PolicyOf(const config::Circuit& circuit) {
  return {circuit.failures, circuit.keys, circuit.window, circuit.probe_initial, circuit.probe_max};
}

Ordering OrderingOf(config::Ordering ordering) {
  switch (ordering) {
    case config::Ordering::kPartition:
      return Ordering::kPartition;
    case config::Ordering::kNone:
      return Ordering::kNone;
    default:
      return Ordering::kKey;
  }
}

Mode ModeOf(config::DeliverMode mode) {
  switch (mode) {
    case config::DeliverMode::kStructured:
      return Mode::kStructured;
    case config::DeliverMode::kRaw:
      return Mode::kRaw;
    default:
      return Mode::kBinary;
  }
}

}  // namespace

Subscription::Subscription(SubscriptionParts parts, http::Endpoint app, HandlerPath path)
    : parts_(std::move(parts)),
      config_(parts_.config),
      loop_(parts_.loop),
      app_(std::move(app)),
      path_(std::move(path)),
      lanes_(OrderingOf(config_.ordering), config_.deliver.concurrency),
      circuit_(PolicyOf(config_.circuit)),
      client_(loop_, app_, Connections(config_.deliver.concurrency)),
      health_client_(loop_, app_, Connections(1)),
      reachable_(loop_, app_),
      series_(parts_.metrics.Subscription(config_.name)) {
  series_.circuit_open.Set(0);
  series_.in_flight.Set(0);
}

Subscription::~Subscription() {
  for (const auto& [number, partition] : partitions_) {
    parts_.metrics.Remove(partition->series);
    if (!partition->retired || partition->deliveries.empty()) continue;
    telemetry::Log(telemetry::Level::kError,
                   "events of a topic that was deleted were in memory only and are lost",
                   {{"subscription", config_.name},
                    {"partition", partition->at.text()},
                    {"lost", std::to_string(partition->deliveries.size())}});
  }
}

base::Result<std::unique_ptr<Subscription>> Subscription::Create(SubscriptionParts parts) {
  std::vector<config::Problem> problems;
  const config::Text& url = parts.config.deliver.url;
  auto destination = http::ParseDestination(url.value);
  if (!destination) return base::Fail(destination.error());
  auto path = HandlerPath::Compile({destination->path, url.place, url.path}, problems);
  event::Match match = event::Match::Compile(parts.config.match, problems);
  if (config::HasErrors(problems)) return base::Fail(base::Error::Invalid(problems.front().text()));
  std::unique_ptr<Subscription> subscription(
      new Subscription(std::move(parts), std::move(destination->endpoint), std::move(path)));
  subscription->match_ = std::move(match);
  if (auto open = subscription->Open(); !open) return base::Fail(open.error());
  return subscription;
}

base::Result<void> Subscription::Open() {
  kafka::ConsumerOptions options;
  options.kafka = parts_.kafka;
  options.group = config_.group;
  for (const auto& topic : config_.topics) options.topics.push_back(topic.value);
  options.start = config_.start_from;
  kafka::ConsumerHandler handler;
  handler.on_assigned = [this](auto assigned) { OnAssigned(std::move(assigned)); };
  handler.on_revoked = [this](auto revoked, bool lost, auto settled) {
    OnRevoked(std::move(revoked), lost, std::move(settled));
  };
  handler.on_records = [this](auto records) { OnRecords(std::move(records)); };
  handler.on_connection = [this](const kafka::Connection&) { ShowState(); };
  handler.on_end = [this](const kafka::TopicPartition& at, uint64_t epoch, int64_t next) {
    OnEnd(at, epoch, next);
  };
  handler.on_reset = [this](const kafka::Reset& reset) { OnReset(reset); };
  auto consumer = kafka::Consumer::Create(loop_, std::move(options), std::move(handler));
  if (!consumer) return base::Fail(consumer.error());
  consumer_ = std::move(*consumer);
  Measure();
  WatchHealth();
  ShowState();
  return {};
}

void Subscription::Stop(base::Duration settle_within, std::function<void()> on_stopped) {
  stop_by_ = loop_.Now() + settle_within;
  ShowState();
  // Everything is revoked, which waits for what is in flight.
  consumer_->Close(std::move(on_stopped));
}

void Subscription::OnRecords(std::vector<kafka::Consumed> records) {
  for (auto& record : records) {
    Partition* partition = Find(record.topic, record.partition);
    if (!partition || partition->epoch != record.epoch || partition->revoked()) continue;
    Take(*partition, std::move(record));
  }
  Pump();
  UpdatePauses();
}

void Subscription::Take(Partition& partition, kafka::Consumed record) {
  switch (partition.offsets.Add(record.offset)) {
    case PartitionOffsets::Added::kSettled:
    case PartitionOffsets::Added::kKnown:
      return;
    case PartitionOffsets::Added::kBefore:
      // The topic was made anew under our feet: what we knew of its offsets means nothing now.
      CancelAll(partition);
      partition.offsets = PartitionOffsets();
      partition.offsets.Add(record.offset);
      break;
    case PartitionOffsets::Added::kNew:
      break;
  }
  auto owned = std::make_unique<Delivery>();
  Delivery& delivery = *owned;
  delivery.id = next_id_++;
  delivery.home = &partition;
  delivery.partition = partition.number;
  delivery.offset = record.offset;
  delivery.fetched = loop_.Now();
  delivery.record = std::move(record);
  const auto& stored = delivery.record;
  partition.deliveries[delivery.offset] = std::move(owned);
  deliveries_[delivery.id] = &delivery;

  auto event = config_.deliver.mode == config::DeliverMode::kRaw
                   ? base::Result<event::Event>(RawEvent(stored))
                   : ReadRecord(json_, stored);
  if (event) delivery.event = std::move(*event);
  delivery.bytes = stored.bytes() + delivery.event.bytes() + kEventBytes;
  event::Data data(delivery.event);
  auto matches = event ? match_.Matches(delivery.event, data) : base::Result<bool>(true);
  if (matches && !*matches) return Settle(delivery, ConsumerOutcome::kFiltered);
  delivery.key = LaneKey(delivery);
  if (partition.offsets.attempts(delivery.offset) > 0)
    circuit_.Blame(CircuitKey(delivery), loop_.Now());
  lanes_.Push(&delivery);
  if (!event || !matches) {
    // It keeps its place: a dead letter that Kafka does not take holds its key like any other.
    delivery.failed = Undecodable(event ? matches.error().message : event.error().message);
  }
}

std::optional<std::string> Subscription::LaneKey(const Delivery& delivery) const {
  if (delivery.record.key) return delivery.record.key;
  if (const auto key = delivery.event.Extension("partitionkey"); !key.empty())
    return std::string(key);
  if (!delivery.event.subject.empty()) return delivery.event.subject;
  return std::nullopt;
}

void Subscription::Pump() {
  const base::TimePoint now = loop_.Now();
  while (auto* item = lanes_.Peek(now)) {
    auto& delivery = static_cast<Delivery&>(*item);
    if (delivery.home->revoked()) {
      // Nothing of a revoked partition begins any more; it goes nowhere until it is forgotten.
      lanes_.Park(lanes_.Next(now));
      continue;
    }
    if (delivery.failed.hopeless()) {
      lanes_.Next(now);
      GiveUp(delivery);
      continue;
    }
    if (!circuit_.MayDispatch(delivery.id, now)) break;
    lanes_.Next(now);
    circuit_.OnDispatched(delivery.id, now);
    Attempt(delivery);
  }
  series_.in_flight.Set(static_cast<double>(lanes_.in_flight()));
  auto next = lanes_.NextWake();
  auto circuit = circuit_.NextWake();
  // The half-down circuit's turn has come and nothing can go: what comes next pumps.
  if (circuit && *circuit <= now && circuit_.state() == AppCircuit::State::kHalfDown)
    circuit.reset();
  if (circuit && (!next || *circuit < *next)) next = circuit;
  if (next) WakeAt(std::max(*next, now));
}

void Subscription::WakeAt(base::TimePoint when) {
  wake_ = loop_.After(when - loop_.Now(), [this] {
    Apply(circuit_.OnTime(loop_.Now()));
    if (circuit_.TakeProbe(loop_.Now())) Probe();
    Pump();
    UpdatePauses();
  });
}

void Subscription::Attempt(Delivery& delivery) {
  const uint32_t attempt = delivery.home->offsets.attempts(delivery.offset) + 1;
  if (delivery.first_tried == base::WallTime{}) delivery.first_tried = loop_.Wall();
  auto call = MakeCall(path_, ModeOf(config_.deliver.mode),
                       {.record = delivery.record,
                        .event = delivery.event,
                        .subscription = config_.name,
                        .number = attempt});
  if (!call) {
    // The URL asks for what the event does not have: no try will change that.
    circuit_.Forget(delivery.id);
    delivery.failed = Undecodable(call.error().message);
    return GiveUp(delivery);
  }
  call->timeout = config_.deliver.timeout;
  delivery.call = client_.Send(
      std::move(*call), [this, id = delivery.id](http::Outcome outcome) { OnAnswer(id, outcome); });
}

// An app that is fast empties the lanes before a pause would pay: a pause costs what was fetched,
// and a second. One that is slow must not hold up the group's own events.
void Subscription::UpdatePauses() {
  if (!full_ && lanes_.over(kMaxEvents, kMaxBytes)) {
    full_ = true;
    patience_ = loop_.After(kPatience, [this] {
      over_ = true;
      UpdatePauses();
    });
  } else if (full_ && !lanes_.over(kMaxEvents / 10 * 9, kMaxBytes / 10 * 9)) {
    full_ = false;
    patience_.Cancel();
  }
  if (over_ && !lanes_.over(kMaxEvents / 2, kMaxBytes / 2)) over_ = false;
  for (const auto& [number, partition] : partitions_) {
    if (partition->revoked() || partition->retired) continue;
    // While half down the probes need events of keys that have not failed, so fetching goes on.
    const bool pause =
        over_ || partition->metadata_full || circuit_.state() == AppCircuit::State::kDown;
    if (pause == partition->paused) continue;
    partition->paused = pause;
    if (pause) {
      consumer_->Pause(partition->at);
    } else {
      consumer_->Resume(partition->at);
    }
  }
  consumer_->SetPolling(!full_ || over_);
}

void Subscription::ShowState() {
  const std::string type = "Delivering/" + config_.name;
  using telemetry::Status;
  series_.circuit_open.Set(circuit_.open() ? 1 : 0);
  if (stop_by_) {
    parts_.conditions.Set(type, Status::kFalse, telemetry::kShuttingDown,
                          "nothing new is delivered; what the app is working on is waited for");
  } else if (circuit_.state() == AppCircuit::State::kDown) {
    parts_.conditions.Set(type, Status::kFalse, "AppDown",
                          http::Name(app_) + " can't be reached or is unhealthy");
  } else if (circuit_.state() == AppCircuit::State::kHalfDown) {
    parts_.conditions.Set(type, Status::kFalse, "AppHalfDown",
                          "the app fails for every key; it is tried one event at a time");
  } else if (!stuck_.empty()) {
    std::string why = stuck_.begin()->second;
    if (stuck_.size() > 1) why += " (and " + std::to_string(stuck_.size() - 1) + " more)";
    parts_.conditions.Set(type, Status::kFalse, "Stuck", why);
  } else if (!consumer_ || !consumer_->connection().connected) {
    const std::string why = consumer_ ? consumer_->connection().last_error : std::string();
    parts_.conditions.Set(type, Status::kUnknown, "Connecting",
                          why.empty() ? "looking for Kafka" : why);
  } else if (const std::string& why = consumer_->connection().last_error; !why.empty()) {
    parts_.conditions.Set(type, Status::kFalse,
                          !consumer_->fenced().empty() ? "Fenced"
                          : consumer_->topic_missing() ? "TopicMissing"
                                                       : "KafkaRefuses",
                          why);
  } else if (!consumer_->joined()) {
    parts_.conditions.Set(type, Status::kUnknown, "Joining",
                          "group " + config_.group + " has not shared its partitions out yet");
  } else if (partitions_.empty()) {
    parts_.conditions.Set(
        type, Status::kTrue, "Delivering",
        "no partition of its own: other members of group " + config_.group + " have them");
  } else {
    parts_.conditions.Set(type, Status::kTrue, "Delivering",
                          std::to_string(partitions_.size()) + " partitions");
  }
}

}  // namespace outrigger::deliver
