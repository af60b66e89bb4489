#include "kafka/consumer.h"

#include <algorithm>
#include <utility>

#include "kafka/consumer_core.h"
#include "kafka/queue_wakeup.h"

namespace outrigger::kafka {
namespace {

// What one wake-up takes at most before the loop's other work has its turn, and what is passed on
// in one piece: whoever holds enough then says so (SetPolling).
constexpr int kMostEvents = 4000;
constexpr size_t kMostRecords = 1000;
// What a record takes beside its own bytes while it is passed on.
constexpr size_t kRecordMemory = 512;
// max.poll.interval.ms is reset by polling alone, also while everything is paused.
constexpr std::chrono::milliseconds kBeat{1000};

std::optional<std::string> Bytes(const void* bytes, size_t size) {
  if (bytes == nullptr) return std::nullopt;
  return std::string(static_cast<const char*>(bytes), size);
}

std::vector<event::Header> HeadersOf(const rd_kafka_message_t& message) {
  std::vector<event::Header> headers;
  rd_kafka_headers_t* list = nullptr;
  if (rd_kafka_message_headers(&message, &list) != RD_KAFKA_RESP_ERR_NO_ERROR) return headers;
  headers.reserve(rd_kafka_header_cnt(list));
  const char* name = nullptr;
  const void* value = nullptr;
  size_t size = 0;
  for (size_t i = 0;
       rd_kafka_header_get_all(list, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i)
    headers.push_back({name, Bytes(value, size)});
  return headers;
}

std::pair<TopicPartition, int64_t> WhereOf(rd_kafka_event_t& event) {
  std::pair<TopicPartition, int64_t> where{{}, -1};
  if (rd_kafka_topic_partition_t* at = rd_kafka_event_topic_partition(&event)) {
    where = {{at->topic, at->partition}, at->offset};
    rd_kafka_topic_partition_destroy(at);
  }
  return where;
}

int64_t TimestampOf(const rd_kafka_message_t& message) {
  rd_kafka_timestamp_type_t type;
  const int64_t timestamp = rd_kafka_message_timestamp(&message, &type);
  return type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? -1 : timestamp;
}

}  // namespace

Consumer::Core::Core(base::Loop& loop, ConsumerOptions options, ConsumerHandler handler)
    : loop_(loop), options_(std::move(options)), handler_(std::move(handler)) {
  connection_.since = loop_.Now();
  group_start_ = std::make_shared<GroupStart>(options_.topics, options_.start);
}

Consumer::Core::~Core() {
  *alive_ = false;
  if (wakeup_) wakeup_->Stop();
  side_.reset();  // its last job may hold the handle
  handle_.reset();
}

base::Result<void> Consumer::Core::Open() {
  auto handle = ConsumerHandle::Create(options_);
  if (!handle) return base::Fail(handle.error());
  if (auto subscribed = (*handle)->Subscribe(options_.topics); !subscribed) return subscribed;
  handle_ = std::move(*handle);
  if (!side_) {
    side_ = std::make_unique<SideThread>();
    wakeup_.emplace(loop_, [this] { OnEvents(); });
    Beat();
  }
  WakeOnEvents(handle_->queue(), *wakeup_);
  Post([this] { OnEvents(); });  // what came before the queue told of itself
  Ping();
  return {};
}

void Consumer::Core::Post(std::function<void()> call) {
  loop_.Post([alive = alive_, call = std::move(call)] {
    if (*alive) call();
  });
}

void Consumer::Core::Beat() {
  beat_ = loop_.After(kBeat, [this] {
    if (closed_) return;
    Beat();
    OnEvents();
    if (closed_) return;
    if (!connection_.connected) Ping();
    EndRefusedFetches();
    AskTopics();
    AskIdentities();
    Watch();
  });
}

void Consumer::Core::OnEvents() {
  const auto handle = handle_;
  for (int n = 0; n < kMostEvents; ++n) {
    if (!polling_ && !closing_) return Flush();
    const Owned<rd_kafka_event_t> event{rd_kafka_queue_poll(handle->queue(), 0)};
    if (!event) {
      Flush();
      return CheckClosed();
    }
    OnEvent(*event);
  }
  Flush();
  Post([this] { OnEvents(); });
}

void Consumer::Core::OnEvent(rd_kafka_event_t& event) {
  const rd_kafka_event_type_t type = rd_kafka_event_type(&event);
  if (type == RD_KAFKA_EVENT_FETCH) {
    while (const rd_kafka_message_t* message = rd_kafka_event_message_next(&event))
      OnRecord(*message);
    if (batch_.size() >= kMostRecords || batch_bytes_ >= options_.fetch.passed_on) Flush();
    return;
  }
  Flush();             // what came before a rebalance is told before it
  if (fatal_) return;  // of a handle that is done for
  if (type == RD_KAFKA_EVENT_REBALANCE) return OnRebalance(event);
  if (type == RD_KAFKA_EVENT_OFFSET_COMMIT) return OnCommitEvent(event);
  if (type != RD_KAFKA_EVENT_ERROR) return;
  const auto [at, offset] = WhereOf(event);
  const rd_kafka_resp_err_t error = rd_kafka_event_error(&event);
  if (error == RD_KAFKA_RESP_ERR__PARTITION_EOF) return OnEnd(at, offset);
  OnError(error, rd_kafka_event_error_string(&event), at, offset);
}

void Consumer::Core::OnRecord(const rd_kafka_message_t& message) {
  TopicPartition at{rd_kafka_topic_name(message.rkt), message.partition};
  if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR)
    return OnError(message.err, rd_kafka_message_errstr(&message), at, message.offset);
  const auto held = held_.find(at);
  if (held == held_.end() || held->second.revoking) return;
  held->second.next = message.offset + 1;
  held->second.end = -1;  // a fetch tells it again
  held->second.ended = false;
  Consumed& record = batch_.emplace_back();
  record.topic = std::move(at.topic);
  record.partition = message.partition;
  record.offset = message.offset;
  record.epoch = held->second.epoch;
  record.timestamp_ms = TimestampOf(message);
  record.key = Bytes(message.key, message.key_len);
  record.value = Bytes(message.payload, message.len);
  record.headers = HeadersOf(message);
  batch_bytes_ += kRecordMemory + record.bytes();
}

void Consumer::Core::Flush() {
  if (batch_.empty()) return;
  if (!connection_.connected) SetConnected(true);
  usual_bytes_ = batch_bytes_ / batch_.size();
  batch_bytes_ = 0;
  handler_.on_records(std::exchange(batch_, {}));
}

size_t Consumer::Core::fetched_bytes() const {
  return rd_kafka_queue_length(handle_->queue()) * usual_bytes_;
}

void Consumer::Core::SetPolling(bool polling) {
  if (std::exchange(polling_, polling) == polling || !polling) return;
  Post([this] { OnEvents(); });  // librdkafka told of what waits here long ago
}

void Consumer::Core::Pause(const TopicPartition& at) {
  const auto held = held_.find(at);
  if (held == held_.end() || !paused_.insert(at).second) return;
  held->second.ended = false;
  rd_kafka_pause_partitions(handle_->rk(), ToList({at}).get());
}

void Consumer::Core::Resume(const TopicPartition& at) {
  if (paused_.erase(at) > 0) rd_kafka_resume_partitions(handle_->rk(), ToList({at}).get());
}

std::optional<Consumer::Watermarks> Consumer::Core::WatermarksOf(const TopicPartition& at) const {
  Watermarks marks;
  rd_kafka_get_watermark_offsets(handle_->rk(), at.topic.c_str(), at.partition, &marks.low,
                                 &marks.high);
  if (const auto held = held_.find(at); held != held_.end()) {
    if (held->second.ended) marks.high = held->second.next;
    if (held->second.end >= 0) marks.high = std::max(held->second.end, held->second.next);
  }
  if (marks.high < 0) return std::nullopt;
  return marks;
}

Consumer::Consumer(std::unique_ptr<Core> core) : core_(std::move(core)) {}
Consumer::~Consumer() = default;

base::Result<std::unique_ptr<Consumer>> Consumer::Create(base::Loop& loop, ConsumerOptions options,
                                                         ConsumerHandler handler) {
  auto core = std::make_unique<Core>(loop, std::move(options), std::move(handler));
  if (auto open = core->Open(); !open) return base::Fail(open.error());
  return std::unique_ptr<Consumer>(new Consumer(std::move(core)));
}

std::optional<Consumer::Watermarks> Consumer::WatermarksOf(const TopicPartition& at) const {
  return core_->WatermarksOf(at);
}
void Consumer::Pause(const TopicPartition& at) { core_->Pause(at); }
void Consumer::SetPolling(bool polling) { core_->SetPolling(polling); }
void Consumer::Resume(const TopicPartition& at) { core_->Resume(at); }
void Consumer::Commit(std::vector<Offset> offsets, OnCommitted on_done) {
  core_->Commit(std::move(offsets), std::move(on_done));
}
const Connection& Consumer::connection() const { return core_->connection_; }
bool Consumer::joined() const { return core_->joined_; }
const Troubles& Consumer::troubles() const { return core_->troubles_; }
uint64_t Consumer::rebuilds() const { return core_->rebuilds_; }
size_t Consumer::fetched_bytes() const { return core_->fetched_bytes(); }
void Consumer::Close(std::function<void()> on_closed) { core_->Close(std::move(on_closed)); }
void* Consumer::native_handle() const { return core_->handle_->rk(); }

}  // namespace outrigger::kafka
