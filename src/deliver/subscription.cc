#include "deliver/subscription.h"

#include <algorithm>

#include "deliver/read_record.h"
#include "event/data.h"

namespace outrigger::deliver {
namespace {

using telemetry::ConsumerOutcome;

// What the lanes may hold over all partitions; fetching goes on below half of it.
constexpr size_t kMaxEvents = 20'000;
// What an event costs beside its bytes: its objects, its places in maps, a lane.
constexpr size_t kEventBytes = 2048;
// Of max_waiting_bytes, what may wait for a dead letter topic that refuses it, before the
// partitions that it is from are paused; the others go on with the rest.
constexpr size_t kStuckShare = 2;
// librdkafka fetches ahead up to a count where most of the bytes are headers, which it does not
// count: with events as large as this there is no time for patience.
constexpr size_t kHeavy = 64 << 10;
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
      concurrency_(config_.deliver.concurrency),
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
  for (const auto& [at, series] : left_series_) parts_.metrics.Remove(series);
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
  options.never = config_.dead_letter;
  options.fetch = parts_.fetch;
  kafka::ConsumerHandler handler;
  handler.on_assigned = [this](auto assigned) { OnAssigned(std::move(assigned)); };
  handler.on_revoked = [this](auto revoked, bool lost, auto settled) {
    OnRevoked(std::move(revoked), lost, std::move(settled));
  };
  handler.on_records = [this](auto records) { OnRecords(std::move(records)); };
  handler.on_connection = [this](const kafka::Connection&) { ShowState(); };
  handler.on_end = [this](const kafka::TopicPartition&, uint64_t epoch, int64_t next) {
    OnEnd(epoch, next);
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
    Partition* partition = Find(record.epoch);
    if (!partition || partition->revoked()) continue;
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
      partition.first_tries.clear();
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
  if (const auto first = partition.first_tries.extract(delivery.offset))
    delivery.first_tried = first.mapped();
  partition.deliveries[delivery.offset] = std::move(owned);
  deliveries_[delivery.id] = &delivery;

  ReadEvent read = config_.deliver.mode == config::DeliverMode::kRaw ? ReadEvent{RawEvent(stored)}
                                                                     : ReadRecord(json_, stored);
  delivery.event = std::move(read.event);
  delivery.bytes = stored.bytes() + delivery.event.bytes() + kEventBytes;
  auto data = event::Data::Consumed(delivery.event, std::move(read.broken_data));
  if (read.undecodable.empty()) {
    const auto matches = match_.Matches(delivery.event, data);
    if (matches && !*matches) return Settle(delivery, ConsumerOutcome::kFiltered);
    if (!matches) read.undecodable = matches.error().message;
  } else if (match_.Excludes(delivery.event, data)) {
    return Settle(delivery, ConsumerOutcome::kFiltered);
  }
  if (!config_.dead_letter.empty() && Generation(stored) > kMaxGeneration)
    return LeaveInTopic(delivery);
  delivery.key = LaneKey(delivery);
  if (partition.offsets.attempts(delivery.offset) > 0)
    circuit_.Blame(CircuitKey(delivery), loop_.Now());
  lanes_.Push(&delivery);
  // It keeps its place: a dead-letter record that Kafka does not take holds its key like any other.
  if (!read.undecodable.empty()) CantBeDecoded(delivery, std::move(read.undecodable));
}

void Subscription::CantBeDecoded(Delivery& delivery, std::string why) {
  delivery.failed = Undecodable(std::move(why));
  (*delivery.home->topic)[telemetry::ConsumerReason::kUndecodable].Increment();
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
    if (!delivery.home->offsets.MayBegin(delivery.offset)) {
      lanes_.Park(lanes_.Next(now));
      delivery.home->waiting_for_room.insert(delivery.offset);
      UpdatePause(*delivery.home);
      continue;
    }
    if (delivery.failed.hopeless()) {
      lanes_.Next(now);
      delivery.home->offsets.Begin(delivery.offset);
      GiveUp(delivery);
      continue;
    }
    const uint64_t key = CircuitKey(delivery);
    if (circuit_.GoesLast(key) && lanes_.Defer(&delivery)) continue;
    if (!circuit_.MayDispatch(delivery.id, key, now)) break;
    lanes_.Next(now);
    delivery.home->offsets.Begin(delivery.offset);
    circuit_.OnDispatched(delivery.id, now);
    Attempt(delivery);
  }
  series_.in_flight.Set(static_cast<double>(lanes_.in_flight()));
  auto next = lanes_.NextWake();
  const auto circuit = circuit_.NextWake(now);
  if (circuit && (!next || *circuit < *next)) next = circuit;
  if (next) WakeAt(std::max(*next, now));
}

// What settled has made room in the metadata of the partition's next commit.
void Subscription::UseRoom(Partition& partition) {
  auto& waiting = partition.waiting_for_room;
  while (!waiting.empty() && partition.offsets.MayBegin(*waiting.begin())) {
    partition.offsets.Begin(*waiting.begin());
    lanes_.GiveBack(partition.deliveries.at(*waiting.begin()).get(), Lanes::Turn::kNext);
    waiting.erase(waiting.begin());
  }
  UpdatePause(partition);
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
                        .number = attempt,
                        .kafka_headers = &config_.deliver.headers});
  if (!call) {
    // The URL asks for what the event does not have: no try will change that.
    circuit_.Forget(delivery.id);
    CantBeDecoded(delivery, call.error().message);
    return GiveUp(delivery);
  }
  delivery.begun = loop_.Now();
  call->timeout = config_.deliver.timeout;
  delivery.call = client_.Send(
      std::move(*call), [this, id = delivery.id](http::Outcome outcome) { OnAnswer(id, outcome); });
}

// An app that is fast empties the lanes before a pause would pay: a pause costs what was fetched,
// and a second. One that is slow must not hold up the group's own events.
void Subscription::UpdatePauses() {
  const size_t most = MaxLaneBytes();
  if (!full_ && lanes_.over(kMaxEvents, most)) {
    full_ = true;
    const bool heavy = lanes_.bytes() / (lanes_.waiting() + lanes_.in_flight()) > kHeavy;
    patience_ = loop_.After(heavy ? base::Duration::zero() : kPatience, [this] {
      over_ = true;
      UpdatePauses();
    });
  } else if (full_ && !lanes_.over(kMaxEvents / 10 * 9, most / 10 * 9)) {
    full_ = false;
    patience_.Cancel();
  }
  if (over_ && !lanes_.over(kMaxEvents / 2, most / 2)) over_ = false;
  // Asked after each answer, so each partition only when something changes for all of them.
  if (RestsAll() != resting_) {
    resting_ = !resting_;
    for (const auto& [number, partition] : partitions_) UpdatePause(*partition);
  }
  consumer_->SetPolling(!full_ || over_);
}

// While half down the probes need events of keys that have not failed, so fetching goes on.
bool Subscription::RestsAll() const {
  return over_ || circuit_.state() == AppCircuit::State::kDown;
}

bool Subscription::TooMuchStuck() const {
  return stuck_bytes_ > parts_.max_waiting_bytes / kStuckShare;
}

size_t Subscription::MaxLaneBytes() const {
  const size_t most = parts_.max_waiting_bytes;
  return most - std::min(stuck_bytes_, most / kStuckShare);
}

void Subscription::CountStuck(Partition& home, size_t bytes) {
  const bool before = TooMuchStuck();
  stuck_bytes_ += bytes - std::exchange(home.stuck_bytes, bytes);
  if (before == TooMuchStuck()) return UpdatePause(home);
  for (const auto& [number, partition] : partitions_) UpdatePause(*partition);
}

void Subscription::UpdatePause(Partition& partition) {
  const bool stuck = partition.stuck_bytes > 0 && TooMuchStuck();
  const bool pause = resting_ || stuck || partition.full();
  if (partition.revoked() || partition.retired || pause == partition.paused) return;
  partition.paused = pause;
  if (pause) {
    consumer_->Pause(partition.at);
  } else {
    consumer_->Resume(partition.at);
  }
}

}  // namespace outrigger::deliver
