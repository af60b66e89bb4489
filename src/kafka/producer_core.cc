#include "kafka/producer_core.h"

#include <random>

#include "base/fail_point.h"
#include "kafka/batch_verdict.h"
#include "kafka/error_table.h"
#include "kafka/queue_wakeup.h"

namespace outrigger::kafka {
namespace {

using telemetry::Level;
using telemetry::Log;

constexpr auto kBeat = std::chrono::seconds(1);
// librdkafka copies the batch of each partition that it is handed: a small part of what may wait.
constexpr size_t kBatchShare = 32;

bool Compresses(const config::Kafka& kafka) {
  for (const auto* properties : {&kafka.properties, &kafka.producer_properties})
    for (const char* name : {"compression.codec", "compression.type"}) {
      const auto found = properties->find(name);
      if (found != properties->end() && found->second.value != "none") return true;
    }
  return false;
}

}  // namespace

Producer::Core::Core(base::Loop& loop, ProducerOptions options)
    : loop_(loop),
      options_(std::move(options)),
      compressing_(Compresses(options_.kafka)),
      brokers_(loop.Now()),
      topics_(loop.clock(), options_.max_records, options_.max_bytes),
      end_of_turn_(
          loop,
          [this](PartitionQueue& queue) {
            if (queue.idle()) sender_.Send(queue);
          },
          [this](Entry* entry, Refusal refusal) { reports_.Refuse(entry, std::move(refusal)); }),
      recovery_(loop, [this] { Rebuild(); }),
      sender_(loop, topics_, recovery_, end_of_turn_, options_.max_bytes / kBatchShare,
              [this](Topic& topic, PartitionQueue& queue) { OnDecided(topic, queue); }),
      reports_(topics_),
      stalls_(options_.stalled_after, static_cast<int>(std::random_device{}() % 64)),
      calls_(loop) {}

Producer::Core::~Core() {
  calls_.Stop();
  if (wakeup_) wakeup_->Stop();
  // Before the records that the client may still have.
  handle_.reset();
  finder_.reset();
}

base::Result<void> Producer::Core::Open() {
  auto handle = Handle::Producer(options_.kafka);
  if (!handle) return base::Fail(handle.error());
  TopicFinder::Events events;
  events.on_placed = [this](Topic& topic) { PlaceWaiting(topic); };
  events.on_replaced = [this](Topic& topic) { Unplace(topic); };
  events.on_refused = [this](Topic& topic, const Refusal& refusal) {
    ShowRefusals();
    reports_.RefuseAll(topic.TakeWaiting(), refusal);
  };
  finder_.emplace(loop_, topics_, brokers_, options_.unknown_topic_after, std::move(events));
  wakeup_.emplace(loop_, [this] { OnEvents(); });
  Use(std::move(*handle));
  Beat();
  return {};
}

// What came before the queue tells of itself is looked for now: librdkafka tells only of the first
// event of an empty queue, and a refused connection is an event within microseconds.
void Producer::Core::Use(std::shared_ptr<Handle> handle) {
  handle_ = std::move(handle);
  sender_.Use(*handle_);
  finder_->Use(handle_);
  WakeOnEvents(handle_->queue(), *wakeup_);
  calls_.Post([this] { OnEvents(); });
}

void Producer::Core::Beat() {
  beat_ = loop_.After(kBeat, [this] { Beat(); });
  const base::TimePoint now = loop_.Now();
  // Soon while records wait or no broker answers, rarely when idle.
  if (brokers_.PingDue(now, topics_.held().records > 0)) finder_->Ping();
  topics_.ForgetIdle([this](const Topic& topic) {
    for (const auto& queue : topic.queues()) end_of_turn_.Forget(*queue);
    handle_->Forget(topic.name());
  });
  if (brokers_.connected()) recovery_.OnConnected();
  ShowRefusals();
  if (!brokers_.connected()) return;
  finder_->Refresh();
  LookForStalls();
}

// What a person has to do before records pass.
void Producer::Core::ShowRefusals() {
  const std::string& trouble = recovery_.trouble();
  brokers_.ShowRefusal(trouble.empty() ? topics_.refusal() : trouble, !trouble.empty());
}

std::optional<Refusal> Producer::Core::Admit(const event::Record& record) const {
  if (reports_.closing()) return QueueFull("the sidecar is shutting down");
  return topics_.Admit(record);
}

const Entry* Producer::Core::Produce(event::Record record, OnReport on_report) {
  base::Reach(base::FailPoint::kProduce);
  auto refusal = Admit(record);
  if (!refusal) refusal = recovery_.denied();
  auto* entry = new Entry;
  entry->bytes = BatchBytes(record);
  entry->memory = MemoryOf(record);
  entry->headers = PackedHeaders(record.headers);
  record.headers = std::vector<event::Header>();  // {} would keep its capacity
  entry->record = std::move(record);
  entry->on_report = std::move(on_report);
  topics_.Hold(*entry);
  if (refusal) {
    end_of_turn_.Refuse(entry, std::move(*refusal));
    return entry;
  }
  Topic& topic = topics_.Accept(*entry);
  if (topic.placed()) {
    Place(topic, entry, false);
  } else {
    topic.Wait(entry);
    finder_->Ask(topic);
  }
  return entry;
}

void Producer::Core::PlaceWaiting(Topic& topic) {
  for (Entry* entry : topic.TakeWaiting()) Place(topic, entry, true);
}

// `looked_up`: the partitions are what Kafka just said.
void Producer::Core::Place(Topic& topic, Entry* entry, bool looked_up) {
  PartitionQueue* queue = topic.QueueFor(entry->record);
  if (!queue && !looked_up) {
    topic.Wait(entry);
    return finder_->AskForMorePartitions(topic);
  }
  if (!queue) {
    Refusal refusal;
    refusal.reason = Reason::kInvalid;
    refusal.error = base::Error::Invalid(
        "topic " + topic.name() + " has " + std::to_string(topic.queues().size()) +
        " partitions; there is no partition " + std::to_string(entry->record.partition));
    return end_of_turn_.Refuse(entry, std::move(refusal));
  }
  if (auto refusal = topic.limits().Unfit(*entry, topic.name(), compressing_))
    return end_of_turn_.Refuse(entry, std::move(*refusal));
  sender_.Enqueue(*queue, entry);
}

// The topic's partitions are not what we thought: it was deleted, or created again.
void Producer::Core::Unplace(Topic& topic) {
  topics_.Unplace(topic);
  GatherLater(topic);
}

// Later, as the caller is at work on the queues that end.
void Producer::Core::GatherLater(Topic& topic) {
  calls_.Post([this, name = topic.name()] {
    if (Topic* found = topics_.Find(name)) Gather(*found);
  });
}

void Producer::Core::Gather(Topic& topic) {
  if (!topic.drained()) return;
  for (const auto& queue : topic.queues()) end_of_turn_.Forget(*queue);
  topic.Gather();
  finder_->AskAgainSoon(topic);
}

void Producer::Core::OnEvents() {
  const auto handle = handle_;  // a callback may close the producer
  while (Owned<rd_kafka_event_t> event{rd_kafka_queue_poll(handle->queue(), 0)}) {
    switch (rd_kafka_event_type(event.get())) {
      case RD_KAFKA_EVENT_DR:
        while (const rd_kafka_message_t* message = rd_kafka_event_message_next(event.get()))
          OnDelivery(*message);
        break;
      case RD_KAFKA_EVENT_ERROR:
        OnError(rd_kafka_event_error(event.get()), rd_kafka_event_error_string(event.get()));
        break;
      case RD_KAFKA_EVENT_DESCRIBECONFIGS_RESULT:
        finder_->OnConfig(*event);
        break;
      default:
        break;
    }
  }
}

void Producer::Core::OnDelivery(const rd_kafka_message_t& message) {
  if (wakeup_->stopped()) return;  // closed: the entries are gone
  auto* entry = static_cast<Entry*>(Handle::Untag(message._private));
  Topic& topic = *entry->topic;
  PartitionQueue& queue = *entry->queue;
  if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR && message.offset < 0) {
    entry->error = RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE;  // librdkafka's guess, not Kafka's word
    entry->maybe_stored = true;
  } else if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    OnAcked(topic, queue);
    if (topic.OnStored(message.partition, message.offset)) TellBeginning(topic, message);
    queue.batch[entry->slot] = nullptr;
    base::Reach(base::FailPoint::kReported);
    reports_.OnStored(entry, {message.partition, message.offset});
    base::Reach(base::FailPoint::kAckTold);
  } else {
    entry->error = message.err;
    entry->maybe_stored |=
        rd_kafka_message_status(&message) == RD_KAFKA_MSG_STATUS_POSSIBLY_PERSISTED;
  }
  if (--queue.undecided == 0) OnDecided(topic, queue);
}

void Producer::Core::TellBeginning(const Topic& topic, const rd_kafka_message_t& message) {
  Log(Level::kError,
      "the topic was created again, or Kafka has lost its data: events that were acknowledged "
      "before are no longer there",
      {{"topic", topic.name()},
       {"partition", std::to_string(message.partition)},
       {"offset", std::to_string(message.offset)}});
}

void Producer::Core::OnAcked(Topic& topic, PartitionQueue& queue) {
  queue.known = true;
  queue.acked_at = loop_.Now();
  queue.stalls = 0;
  finder_->OnHeard(queue.acked_at);
  const bool recovered = recovery_.OnAcked();
  if (topic.ClearRefusal() || recovered) ShowRefusals();
}

void Producer::Core::OnDecided(Topic& topic, PartitionQueue& queue) {
  Judge(queue);
  if (!topic.placed()) GatherLater(topic);
  RebuildWhenDecided();
}

void Producer::Core::Judge(PartitionQueue& queue) {
  const BatchVerdict verdict = VerdictOf(queue);
  if (verdict.action == BatchVerdict::Action::kNone) {
    queue.batch.clear();
    return sender_.Send(queue);
  }
  if (uint64_t held_back; refusal_log_.Allow(loop_.Now(), held_back)) {
    Log(Level::kWarn, "Kafka did not take a batch",
        {{"topic", verdict.topic->name()},
         {"partition", std::to_string(queue.partition)},
         {"events", std::to_string(verdict.records)},
         {"error", rd_kafka_err2str(verdict.error)},
         {"held_back", std::to_string(held_back)}});
  }
  if (verdict.too_large) {
    // So much at once is too much. What the broker says of the topic is asked again.
    verdict.topic->limits().OnTooLarge(verdict.bytes, verdict.records);
    finder_->AskConfig(*verdict.topic);
  }
  const size_t left = queue.TakeBack();
  if (verdict.has_refused && verdict.records > 1) queue.alone += left;
  // Of a handle that has given up, no error means what it says of the moment or the topic.
  if (const auto fatal = handle_->fatal(); fatal && !verdict.refused_alone()) {
    OnFatal(*fatal);
    if (recovery_.denied()) RefuseFirst(queue, left, *recovery_.denied());
    return;
  }
  Apply(verdict, queue, left);
}

// `left`: so many of the batch are back in the queue.
void Producer::Core::Apply(const BatchVerdict& verdict, PartitionQueue& queue, size_t left) {
  Topic& topic = *verdict.topic;
  switch (verdict.action) {
    case BatchVerdict::Action::kNone:
      return;
    case BatchVerdict::Action::kSendOneByOne:
      return sender_.Send(queue);
    case BatchVerdict::Action::kRefuseRecord:
      if (verdict.key_missing) topic.limits().OnKeyMissing();
      return RefuseFirst(queue, 1, ToRefusal(verdict.error, topic.name()));
    case BatchVerdict::Action::kRefuseBatch: {
      const Refusal refusal = ToRefusal(verdict.error, topic.name());
      topic.ShowRefusal(refusal);
      RefuseFirst(queue, left, refusal);
      return ShowRefusals();
    }
    case BatchVerdict::Action::kLookUpTopic:
      return Unplace(topic);
    case BatchVerdict::Action::kReplaceClient:
      return OnFatal({verdict.error, rd_kafka_err2str(verdict.error)});
    case BatchVerdict::Action::kSendLater:
      return sender_.SendAllLater();
  }
}

void Producer::Core::OnError(rd_kafka_resp_err_t error, const std::string& text) {
  if (const auto fatal = handle_->fatal()) return OnFatal(*fatal);
  if (error == RD_KAFKA_RESP_ERR__AUTHENTICATION)
    brokers_.OnError("authentication failed: " + text);
  else if (error != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
    brokers_.OnError(text);
  // Whether Kafka is away is for the cluster to say: an idle connection that a broker closes looks
  // like this too.
  finder_->Ping();
}

void Producer::Core::RefuseFirst(PartitionQueue& queue, size_t count, const Refusal& refusal) {
  const std::vector<Entry*> refused = queue.TakeFirst(count);
  if (queue.idle()) end_of_turn_.Serve(queue);
  reports_.RefuseAll(refused, refusal);
}

void Producer::Core::SetKafka(const config::Kafka& kafka) {
  options_.kafka = kafka;
  compressing_ = Compresses(kafka);
  recovery_.OnConfigChange();
  ShowRefusals();
  RebuildWhenDecided();
}

void Producer::Core::Close(std::chrono::milliseconds budget, std::function<void()> on_done) {
  reports_.Close(
      loop_, budget, [this] { GiveUp(); }, std::move(on_done));
}

void Producer::Core::GiveUp() {
  Log(options_.kept_on_disk ? Level::kInfo : Level::kError,
      options_.kept_on_disk
          ? "these events were not acknowledged by Kafka; they stay in the spool until the next "
            "start"
          : "shutdown.budget is over: these events were not acked by Kafka, and nothing keeps them",
      {{"events", std::to_string(topics_.held().records)}});
  Refusal late;
  late.reason = Reason::kTimeout;
  late.error = {base::Code::kTimeout, "the sidecar shut down before Kafka acked", {}, true};
  late.possibly_stored = true;
  wakeup_->Stop();  // no report may come for what is gone
  recovery_.Close();
  reports_.RefuseAll(topics_.TakeAll(), late);
}

void Producer::Core::OnFatal(const Handle::Fatal& why) {
  if (!recovery_.OnFatal(why)) return;
  if (recovery_.denied())
    calls_.Post([this] {
      if (recovery_.denied()) reports_.RefuseAll(topics_.TakeWaiting(), *recovery_.denied());
    });
  ShowRefusals();
  RebuildWhenDecided();
}

void Producer::Core::RebuildWhenDecided() {
  if (recovery_.rebuilding() && topics_.idle()) recovery_.OnAllDecided();
}

void Producer::Core::Rebuild() {
  // Reports that are already here need not be sent again.
  OnEvents();
  auto handle = Handle::Producer(options_.kafka);
  if (!handle) return recovery_.OnBuildFailed(handle.error().message);
  const bool config_changed = recovery_.config_changed();  // perhaps to another cluster
  size_t again = 0;
  for (const auto& [name, topic] : topics_.topics()) {
    if (config_changed) {
      topic->ForgetOffsets();
      if (topic->placed()) topics_.Unplace(*topic);
    }
    for (const auto& queue : topic->queues()) again += queue->TakeBackUnanswered();
    if (!topic->placed()) GatherLater(*topic);
  }
  Log(config_changed ? Level::kInfo : Level::kWarn,
      "the Kafka client was replaced; what was not acked is sent again",
      {{"error", recovery_.why()}, {"events", std::to_string(again)}});
  rd_kafka_queue_io_event_enable(handle_->queue(), -1, nullptr, 0);
  Use(std::move(*handle));
  if (const auto denied = recovery_.OnBuilt()) reports_.RefuseAll(topics_.TakeWaiting(), *denied);
  sender_.SendAll();
  if (config_changed) finder_->Ping();
}

void Producer::Core::LookForStalls() {
  if (recovery_.phase() != ClientRecovery::Phase::kRunning) return;
  const auto stall =
      stalls_.Find(topics_, loop_.Now(), [this](Topic& topic) { finder_->Ask(topic); });
  if (!stall.queue) return;
  ++stall.queue->stalls;
  recovery_.OnStall("no answer for long from the leader of " + stall.topic->name() + "/" +
                    std::to_string(stall.queue->partition));
}

}  // namespace outrigger::kafka
