#include "kafka/producer.h"

#include <algorithm>

#include "kafka/error_table.h"
#include "kafka/producer_core.h"
#include "kafka/queue_wakeup.h"

namespace outrigger::kafka {
namespace {

// What a record takes in a batch beyond key, value and headers: varints of lengths, offset and
// time, and the batch's head.
constexpr size_t kRecordOverhead = 100;
constexpr size_t kHeaderOverhead = 10;

// Where a partition is named that is not there, the topic is looked up at most that often.
constexpr auto kLookupPause = std::chrono::seconds(1);
// A broker forgets the sequence numbers of a client that wrote nothing for a day, and a shorter
// time where producer.id.expiration.ms says so.
constexpr auto kMayBeForgotten = std::chrono::minutes(5);
// Before a topic's config is known, records go one by one for so long at most.
constexpr auto kConfigWait = std::chrono::seconds(1);
// A topic that is not there costs so much while it is remembered, and they may cost a part of what
// may wait.
constexpr size_t kSoughtTopic = 10'000;
constexpr size_t kSoughtShare = 2;
constexpr size_t kMostSought = 2000;
// librdkafka copies the batch of each partition that it is handed: a small part of what may wait.
constexpr size_t kBatchShare = 32;

size_t Overhead(size_t headers) { return kRecordOverhead + kHeaderOverhead * headers; }

Refusal QueueFull(const std::string& what, bool memory = false) {
  Refusal refusal;
  refusal.reason = Reason::kQueueFull;
  refusal.memory = memory;
  refusal.error = {base::Code::kUnavailable, what,
                   "Kafka is slower than the app publishes; try again", true};
  return refusal;
}

Refusal NeverFits(const std::string& topic, size_t memory, size_t most) {
  Refusal refusal;
  refusal.reason = Reason::kTooLarge;
  refusal.memory = true;
  refusal.error = {base::Code::kTooLarge,
                   "the event takes " + std::to_string(memory) + " bytes, and at most " +
                       std::to_string(most) + " may wait for topic " + topic,
                   "send a smaller one", false};
  return refusal;
}

}  // namespace

Producer::Core::Core(base::Loop& loop, ProducerOptions options)
    : loop_(loop), options_(std::move(options)) {
  connection_.since = loop_.Now();
  heard_ = loop_.Now();
  for (const auto* properties : {&options_.kafka.properties, &options_.kafka.producer_properties}) {
    for (const char* name : {"compression.codec", "compression.type"}) {
      const auto found = properties->find(name);
      if (found != properties->end() && found->second.value != "none") compressing_ = true;
    }
  }
}

Producer::Core::~Core() {
  *alive_ = false;
  if (wakeup_) wakeup_->Stop();
  handle_.reset();
  lookup_.reset();
  for (const auto& [name, topic] : topics_) {
    for (Entry* entry : topic->unplaced) delete entry;
    for (const auto& queue : topic->partitions) {
      for (Entry* entry : queue->waiting) delete entry;
      for (Entry* entry : queue->batch) delete entry;
    }
  }
  for (const auto& [entry, refusal] : refused_) delete entry;
}

base::Result<void> Producer::Core::Open() {
  auto handle = Handle::Producer(options_.kafka);
  if (!handle) return base::Fail(handle.error());
  handle_ = std::move(*handle);
  lookup_ = std::make_unique<Lookup>(loop_, [this](const Lookup::Answer& a) { OnAnswer(a); });
  wakeup_.emplace(loop_, [this] { OnEvents(); });
  Listen();
  Beat();
  return {};
}

// What came before the queue tells of itself is looked for now: librdkafka tells only of the first
// event of an empty queue, and a refused connection is an event within microseconds.
void Producer::Core::Listen() {
  WakeOnEvents(handle_->queue(), *wakeup_);
  loop_.Post([this, alive = alive_] {
    if (*alive) OnEvents();
  });
}

Topic& Producer::Core::TopicFor(const std::string& name) {
  auto& topic = topics_[name];
  if (!topic) {
    topic = std::make_unique<Topic>();
    topic->name = name;
    topic->idle_since = loop_.Now();
    ++not_placed_;
  }
  return *topic;
}

std::optional<Refusal> Producer::Core::Admit(const event::Record& record) const {
  if (closing_) return QueueFull("the sidecar is shutting down");
  const size_t memory = MemoryOf(record);
  if (memory > options_.max_bytes / 2)
    return NeverFits(record.topic, memory, options_.max_bytes / 2);
  if (records_ >= options_.max_records || memory_ + memory > options_.max_bytes)
    return QueueFull("the queue to Kafka is full (" + std::to_string(records_) + " events)", true);
  const auto found = topics_.find(record.topic);
  if (found == topics_.end()) {
    if (not_placed_ < kMostSought &&
        not_placed_ * kSoughtTopic <= options_.max_bytes / kSoughtShare)
      return std::nullopt;
    return QueueFull(std::to_string(not_placed_) +
                     " topics that Kafka does not have are waited for");
  }
  // One topic that Kafka can't take must not shut out the others.
  const Topic& topic = *found->second;
  if (topic.records >= options_.max_records / 2 || topic.memory + memory > options_.max_bytes / 2)
    return QueueFull("the queue of topic " + topic.name + " is full (" +
                         std::to_string(topic.records) + " events)",
                     true);
  return std::nullopt;
}

void Producer::Core::Produce(event::Record record, OnReport on_report) {
  auto full = Admit(record);
  auto* entry = new Entry;
  entry->bytes = record.bytes() + Overhead(record.headers.size());
  entry->memory = MemoryOf(record);
  entry->headers = PackedHeaders(record.headers);
  record.headers = std::vector<event::Header>();  // {} would keep its capacity
  entry->record = std::move(record);
  entry->on_report = std::move(on_report);
  entry->order = ++last_order_;
  ++records_;
  memory_ += entry->memory;
  if (full) return ReportLater(entry, std::move(*full));
  if (denied_) return ReportLater(entry, *denied_);
  Topic& topic = TopicFor(entry->record.topic);
  entry->topic = &topic;
  ++topic.records;
  topic.memory += entry->memory;
  topic.used = true;
  if (!topic.placed) {
    topic.unplaced.push_back(entry);
    return Ask(topic);
  }
  Place(topic, entry, false);
}

// What the topic is known to refuse is refused unasked: with others in its batch it would cost
// much.
std::optional<Refusal> Producer::Core::Unfit(const Topic& topic, const Entry& entry) const {
  // Only what can't fit even without its overhead; compression could still make it fit.
  const size_t size = entry.bytes - Overhead(entry.headers.count());
  if (topic.limit_known && !compressing_ && size - topic.name.size() > topic.limit) {
    Refusal refusal = ToRefusal(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, topic.name);
    refusal.error.message = "the event has " + std::to_string(size) + " bytes, and topic " +
                            topic.name + " takes " + std::to_string(topic.limit) +
                            " (max.message.bytes)";
    return refusal;
  }
  if (topic.compacted && !entry.record.key)
    return ToRefusal(RD_KAFKA_RESP_ERR_INVALID_RECORD, topic.name);
  return std::nullopt;
}

// `looked_up`: the partitions are what Kafka just said.
void Producer::Core::Place(Topic& topic, Entry* entry, bool looked_up) {
  const auto count = static_cast<int32_t>(topic.partitions.size());
  const event::Record& record = entry->record;
  int32_t partition = record.partition;
  if (partition >= count && !looked_up) {
    // The topic may have grown since it was last looked up.
    topic.unplaced.push_back(entry);
    return AskAgainIn(topic, std::max<base::Duration>(topic.looked_up + kLookupPause - loop_.Now(),
                                                      base::Duration(0)));
  }
  if (partition >= count) {
    Refusal refusal;
    refusal.reason = Reason::kInvalid;
    refusal.error =
        base::Error::Invalid("topic " + topic.name + " has " + std::to_string(count) +
                             " partitions; there is no partition " + std::to_string(partition));
    return ReportLater(entry, std::move(refusal));
  }
  if (auto refusal = Unfit(topic, *entry)) return ReportLater(entry, std::move(*refusal));
  if (partition < 0 && record.key) {
    // Java's murmur2, as its default partitioner has it, so that producers in other languages
    // agree.
    const std::string& key = *record.key;
    partition =
        rd_kafka_msg_partitioner_murmur2(nullptr, key.data(), key.size(), count, nullptr, nullptr);
  } else if (partition < 0) {
    partition = static_cast<int32_t>(topic.sticky % topic.partitions.size());
  }
  Enqueue(*topic.partitions[static_cast<size_t>(partition)], entry);
}

void Producer::Core::Enqueue(PartitionQueue& queue, Entry* entry) {
  entry->queue = &queue;
  queue.waiting.push_back(entry);
  if (queue.idle()) MarkDirty(queue);
}

void Producer::Core::MarkDirty(PartitionQueue& queue) {
  if (std::exchange(queue.dirty, true)) return;
  dirty_.push_back(&queue);
  if (std::exchange(serving_, true)) return;
  loop_.Post([this, alive = alive_] {
    if (*alive) ServeDirty();
  });
}

void Producer::Core::ServeDirty() {
  serving_ = false;
  std::vector<PartitionQueue*> queues;
  queues.swap(dirty_);
  for (PartitionQueue* queue : queues) {
    queue->dirty = false;
    if (queue->idle()) HandOver(*queue);
  }
  std::vector<std::pair<Entry*, Refusal>> refused;
  refused.swap(refused_);
  for (auto& [entry, refusal] : refused) Refuse(entry, std::move(refusal));
}

BatchLimits Producer::Core::LimitsOf(const Topic& topic) const {
  BatchLimits limits;
  limits.bytes = std::min({limits.bytes, topic.limit, options_.max_bytes / kBatchShare});
  // What the topic refuses is known in a moment, and costs less unasked.
  if (!topic.config_known && loop_.Now() - topic.config_asked < kConfigWait) limits.records = 1;
  return limits;
}

void Producer::Core::HandOver(PartitionQueue& queue) {
  if (queue.waiting.empty() || fatal_) return;
  Topic& topic = *queue.waiting.front()->topic;
  if (!topic.placed) return;
  queue.handed_at = loop_.Now();
  if (queue.handed_at - queue.acked_at > kMayBeForgotten) queue.known = false;
  queue.FormBatch(LimitsOf(topic));
  // Records without a key go on to another partition with the next batch.
  if (topic.sticky % topic.partitions.size() == static_cast<size_t>(queue.partition))
    ++topic.sticky;
  for (size_t i = 0; i < queue.batch.size(); ++i) {
    const rd_kafka_resp_err_t error = Give(*queue.batch[i]);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
      // The rest of the batch goes back and is tried again with the next event or in a moment.
      const std::vector<Entry*> rest(queue.batch.begin() + static_cast<long>(i), queue.batch.end());
      queue.waiting.insert(queue.waiting.begin(), rest.begin(), rest.end());
      queue.batch.resize(i);
      queue.undecided -= rest.size();
      if (!serve_again_.armed())
        serve_again_ = loop_.After(std::chrono::milliseconds(10), [this] { ServeAll(); });
      if (i > 0 && queue.undecided == 0) OnDecided(topic, queue);  // all before it were refused
      return;
    }
    queue.batch[i]->error = error;
    if (--queue.undecided == 0) return OnDecided(topic, queue);
  }
}

rd_kafka_resp_err_t Producer::Core::Give(Entry& entry) {
  const event::Record& record = entry.record;
  Owned<rd_kafka_headers_t> headers(rd_kafka_headers_new(entry.headers.count()));
  entry.headers.Each([&headers](std::string_view name, std::optional<std::string_view> value) {
    rd_kafka_header_add(headers.get(), name.data(), static_cast<ssize_t>(name.size()),
                        value ? value->data() : nullptr,
                        value ? static_cast<ssize_t>(value->size()) : 0);
  });
  rd_kafka_vu_t fields[8];
  fields[0].vtype = RD_KAFKA_VTYPE_RKT;
  fields[0].u.rkt = handle_->Topic(record.topic);
  fields[1].vtype = RD_KAFKA_VTYPE_PARTITION;
  fields[1].u.i32 = entry.queue->partition;
  fields[2].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  // A copy: after a fatal error the old handle may still hold what the new one is sent.
  fields[2].u.i = RD_KAFKA_MSG_F_COPY;
  fields[3].vtype = RD_KAFKA_VTYPE_VALUE;
  fields[3].u.mem.ptr = record.value ? const_cast<char*>(record.value->data()) : nullptr;
  fields[3].u.mem.size = record.value ? record.value->size() : 0;
  fields[4].vtype = RD_KAFKA_VTYPE_KEY;
  fields[4].u.mem.ptr = record.key ? const_cast<char*>(record.key->data()) : nullptr;
  fields[4].u.mem.size = record.key ? record.key->size() : 0;
  fields[5].vtype = RD_KAFKA_VTYPE_OPAQUE;
  fields[5].u.ptr = Handle::Tag(&entry, entry.queue->batch.size() > 1);
  fields[6].vtype = RD_KAFKA_VTYPE_HEADERS;
  fields[6].u.headers = headers.get();
  fields[7].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
  fields[7].u.i64 = record.timestamp_ms;  // 0: now
  rd_kafka_error_t* error = rd_kafka_produceva(handle_->rk(), fields, 8);
  if (!error) {
    static_cast<void>(headers.release());  // librdkafka owns them now
    return RD_KAFKA_RESP_ERR_NO_ERROR;
  }
  const rd_kafka_resp_err_t code = rd_kafka_error_code(error);
  rd_kafka_error_destroy(error);
  return handle_->fatal() ? RD_KAFKA_RESP_ERR__FATAL : code;
}

void Producer::Core::ReportLater(Entry* entry, Refusal refusal) {
  refused_.emplace_back(entry, std::move(refusal));
  if (std::exchange(serving_, true)) return;
  loop_.Post([this, alive = alive_] {
    if (*alive) ServeDirty();
  });
}

void Producer::Core::Refuse(Entry* entry, Refusal refusal) {
  refusal.possibly_stored |= entry->maybe_stored;
  Report(entry, tl::unexpected(std::move(refusal)));
}

void Producer::Core::Report(Entry* entry, const kafka::Report& report) {
  const std::unique_ptr<Entry> owned(entry);
  --records_;
  memory_ -= entry->memory;
  if (entry->topic) {
    --entry->topic->records;
    entry->topic->memory -= entry->memory;
  }
  if (!report) entry->record.headers = entry->headers.Unpack();
  entry->on_report(report, entry->record);
  if (closing_ && records_ == 0 && on_closed_) {
    close_timer_.Cancel();
    std::exchange(on_closed_, nullptr)();
  }
}

void Producer::Core::Close(std::chrono::milliseconds budget, std::function<void()> on_done) {
  closing_ = true;
  if (records_ == 0) return on_done();
  on_closed_ = std::move(on_done);
  close_timer_ = loop_.After(budget, [this] {
    telemetry::Log(
        telemetry::Level::kError,
        "shutdown.budget is over: these events were not acked by Kafka, and nothing keeps them",
        {{"events", std::to_string(records_)}});
    Refusal late;
    late.reason = Reason::kTimeout;
    late.error = {base::Code::kTimeout, "the sidecar shut down before Kafka acked", {}, true};
    late.possibly_stored = true;
    wakeup_->Stop();  // no report may come for what is gone
    rebuild_.Cancel();
    for (Entry* entry : TakeAll()) Report(entry, tl::unexpected(late));
    if (on_closed_) std::exchange(on_closed_, nullptr)();
  });
}

// All that waits, whether in librdkafka's hands or not; it is the caller's now.
std::vector<Entry*> Producer::Core::TakeAll() {
  std::vector<Entry*> all;
  for (const auto& [name, topic] : topics_) {
    all.insert(all.end(), topic->unplaced.begin(), topic->unplaced.end());
    topic->unplaced.clear();
    for (const auto& queue : topic->partitions) {
      queue->TakeBack();
      all.insert(all.end(), queue->waiting.begin(), queue->waiting.end());
      queue->waiting.clear();
    }
  }
  return all;
}

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
void Producer::Produce(event::Record record, OnReport on_report) {
  core_->Produce(std::move(record), std::move(on_report));
}
const Connection& Producer::connection() const { return core_->connection_; }
void Producer::OnConnectionChange(std::function<void(const Connection&)> on_change) {
  core_->on_change_ = std::move(on_change);
}
size_t Producer::waiting_records() const { return core_->records_; }
size_t Producer::waiting_bytes() const { return core_->memory_; }
size_t Producer::topics() const { return core_->topics_.size(); }
uint64_t Producer::rebuilds() const { return core_->rebuilds_; }
void Producer::Close(std::chrono::milliseconds budget, std::function<void()> on_done) {
  core_->Close(budget, std::move(on_done));
}
void* Producer::native_handle() const { return core_->handle_->rk(); }

}  // namespace outrigger::kafka
