#include "kafka/consumer_core.h"

#include <algorithm>
#include <utility>

#include "kafka/error_table.h"

namespace outrigger::kafka {

using telemetry::Level;
using telemetry::Log;

namespace {

// What one wake-up takes at most before the loop's other work has its turn.
constexpr int kMostEvents = 4000;
// max.poll.interval.ms is reset by polling alone, also while everything is paused.
constexpr std::chrono::milliseconds kBeat{1000};

std::pair<TopicPartition, int64_t> WhereOf(rd_kafka_event_t& event) {
  std::pair<TopicPartition, int64_t> where{{}, -1};
  if (rd_kafka_topic_partition_t* at = rd_kafka_event_topic_partition(&event)) {
    where = {{at->topic, at->partition}, at->offset};
    rd_kafka_topic_partition_destroy(at);
  }
  return where;
}

const char* Name(ResetReason reason) {
  switch (reason) {
    case ResetReason::kDeleted:
      return "records were deleted before they were read";
    case ResetReason::kTruncated:
      return "the log was cut, and is read again from its beginning";
    case ResetReason::kRecreated:
      return "the topic was deleted; one that is created again is read from its beginning";
  }
  return "";
}

}  // namespace

Consumer::Core::Core(base::Loop& loop, ConsumerOptions options, ConsumerHandler handler)
    : options_(std::move(options)),
      handler_(std::move(handler)),
      client_(loop, [this] { OnEvents(); }),
      health_(loop.Now(), handler_.on_connection),
      commits_(client_, held_,
               [this](const TopicPartition& at) {
                 health_.EndAll(Trouble::kGroup);
                 health_.End(Trouble::kFetchRefused, at.text());
               }),
      resets_(client_, held_, health_,
              {[this] {
                 if (!membership_.stepping()) OnEvents();
                 return !membership_.stepping() && (polling_ || membership_.closing());
               },
               [this](const Reset& reset, const Range& range) { OnReset(reset, range); }}),
      identities_(client_, held_, [this](const TopicPartition& at) { resets_.Begin(at, -1); }),
      membership_(client_, health_, held_, commits_, identities_, options_, MembershipEvents()),
      recovery_(client_, health_, options_.group, [this] { return Open(); }),
      topics_(client_, health_, options_.topics,
              [this](base::TimePoint missing_at) { membership_.OnTopicCame(missing_at); }),
      standstill_(client_, health_, held_, options_.group,
                  {[this] {
                     return StandstillWatch::State{active(), membership_.joined(),
                                                   active() && polling_ && !membership_.stepping()};
                   },
                   [this](const std::string& why) { OnStandstill(why); }}),
      batch_(options_.fetch.passed_on) {}

GroupMembership::Events Consumer::Core::MembershipEvents() {
  return {
      .poll = [this] { OnEvents(); },
      .on_assigned =
          [this](std::vector<Assigned> assigned) {
            recovery_.OnAssigned();
            handler_.on_assigned(std::move(assigned));
          },
      .on_revoked = handler_.on_revoked,
      .on_reset = [this](const Reset& reset) { TellReset(reset); },
      .on_renewable =
          [this] {
            ReplaceClient(config_changed_ ? "the config has changed" : "nothing comes of Kafka");
          },
      .on_fatal = [this](const std::string& why) { OnFatal(why); }};
}

base::Result<void> Consumer::Core::Open() {
  auto handle = ConsumerHandle::Create(options_);
  if (!handle) return base::Fail(handle.error());
  if (auto subscribed = (*handle)->Subscribe(options_.topics); !subscribed) return subscribed;
  client_.Use(std::move(*handle));
  config_changed_ = false;
  client_.Post([this] { OnEvents(); });  // what came before the queue told of itself
  Ping();
  if (!beat_.armed()) Beat();
  return {};
}

void Consumer::Core::Close(std::function<void()> on_closed) {
  recovery_.Close();
  membership_.Close(recovery_.running(), [this, on_closed = std::move(on_closed)] {
    beat_.Cancel();
    commits_.RefuseAll("the consumer was closed");
    client_.Post(on_closed);
  });
}

void Consumer::Core::Beat() {
  beat_ = client_.loop().After(kBeat, [this] {
    Beat();
    OnEvents();
    if (membership_.closed()) return;
    if (config_changed_) Renew();
    if (!health_.connected()) Ping();
    EndRefusedFetches();
    if (health_.connected()) {
      if (active()) topics_.Beat(membership_.joined());
      identities_.Beat();
    }
    standstill_.Beat();
  });
}

// ---- what the client tells

void Consumer::Core::OnEvents() {
  const auto handle = client_.handle();
  for (int n = 0; n < kMostEvents; ++n) {
    if (!polling_ && !membership_.closing()) return Flush();
    const Owned<rd_kafka_event_t> event{rd_kafka_queue_poll(handle->queue(), 0)};
    if (!event) {
      Flush();
      return membership_.OnPolled();
    }
    OnEvent(*event);
  }
  Flush();
  client_.Post([this] { OnEvents(); });
}

void Consumer::Core::OnEvent(rd_kafka_event_t& event) {
  const rd_kafka_event_type_t type = rd_kafka_event_type(&event);
  if (type == RD_KAFKA_EVENT_FETCH) {
    while (const rd_kafka_message_t* message = rd_kafka_event_message_next(&event))
      OnRecord(*message);
    if (batch_.full()) Flush();
    return;
  }
  Flush();                           // what came before a rebalance is told before it
  if (!recovery_.running()) return;  // of a client that is done for
  if (type == RD_KAFKA_EVENT_REBALANCE) return membership_.OnRebalance(event);
  if (type == RD_KAFKA_EVENT_OFFSET_COMMIT) return commits_.OnEvent(event);
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
  HeldPartition* held = held_.Find(at);
  if (!held || held->revoking()) return;
  held->OnRead(message.offset);
  batch_.Add(message, std::move(at), held->epoch);
}

void Consumer::Core::Flush() {
  if (batch_.empty()) return;
  if (!health_.connected()) health_.OnHeard(client_.Now());
  handler_.on_records(batch_.Take());
}

void Consumer::Core::OnEnd(const TopicPartition& at, int64_t next) {
  HeldPartition* held = held_.Find(at);
  if (!held || held->revoking() || next < held->next) return;
  held->OnEnd(next);
  if (handler_.on_end) handler_.on_end(at, held->epoch, next);
}

void Consumer::Core::OnReset(const Reset& reset, const Range& range) {
  TellReset(reset);
  if (reset.reason == ResetReason::kDeleted) return membership_.MoveTo(reset.at, reset.to);
  StartingPoint beginning;
  beginning.at = reset.at;
  beginning.offset = range.low;
  beginning.identity = range.identity;
  membership_.BeginAgain(std::move(beginning));
}

void Consumer::Core::TellReset(const Reset& reset) {
  Log(Level::kError, Name(reset.reason),
      {{"group", options_.group},
       {"topic", reset.at.topic},
       {"partition", std::to_string(reset.at.partition)},
       {"from", std::to_string(reset.from)},
       {"to", std::to_string(reset.to)},
       {"lost", std::to_string(reset.lost)}});
  if (handler_.on_reset) handler_.on_reset(reset);
}

// ---- what goes wrong

void Consumer::Core::OnError(rd_kafka_resp_err_t error, const std::string& text,
                             const TopicPartition& at, int64_t offset) {
  // The event carries the reason's code, or _FATAL.
  char reason[512];
  if (rd_kafka_fatal_error(client_.rk(), reason, sizeof reason) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return OnFatal(reason);
  if (error == RD_KAFKA_RESP_ERR__FATAL) return OnFatal(text);
  if (error == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET) return resets_.Begin(at, offset);
  if (uint64_t held_back; error_log_.Allow(client_.Now(), held_back)) {
    Log(Level::kWarn, "the consumer has a problem",
        {{"group", options_.group},
         {"error", text},
         {"hint", ConsumerHintOf(error)},
         {"held_back", std::to_string(held_back)}});
  }
  if (const auto trouble = TroubleOf(error, at.partition >= 0)) {
    const bool topic = *trouble == Trouble::kTopicMissing || *trouble == Trouble::kTopicRefused;
    if (topic) topics_.AskSoon();
    if (topic && health_.troubles().holds(*trouble)) return;
    return health_.Begin(*trouble, at.partition >= 0 ? at.text() : std::string(), text);
  }
  const bool authentication = error == RD_KAFKA_RESP_ERR__AUTHENTICATION;
  health_.OnBrokerError((authentication ? "authentication failed: " : "") + text,
                        error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN);
  Ping();
}

void Consumer::Core::OnFatal(const std::string& why) {
  if (!recovery_.OnFatal(why)) return;
  if (membership_.closing()) recovery_.Close();
  membership_.OnClientFailed(why);
}

// Settles everything as a rebalance would, and goes on with a new client: nothing is settled by it,
// and nothing that the application has is cut off before rebalance.drain.
void Consumer::Core::OnStandstill(const std::string& why) {
  if (membership_.stepping() || !active()) return;
  Log(Level::kError, "the Kafka consumer is at a standstill: it is made again",
      {{"group", options_.group}, {"reason", why}});
  standstill_.OnRenewed();
  membership_.Renew();
}

void Consumer::Core::ReplaceClient(const std::string& why) {
  recovery_.Replace(why);
  membership_.OnClientFailed(why);
}

// librdkafka tells of a refusal once, and nothing of its end while no record comes; but each answer
// leaves its end of the partition behind, and a refusal none.
void Consumer::Core::EndRefusedFetches() {
  if (!health_.troubles().holds(Trouble::kFetchRefused)) return;
  for (const auto& [at, held] : held_)
    if (client_.FetchedOffsets(at).high >= 0) health_.End(Trouble::kFetchRefused, at.text());
}

// Whether the cluster is away is for a ping to say: what a broker answers is about something else.
void Consumer::Core::Ping() {
  if (std::exchange(pinging_, true)) return;
  client_.Ask(
      [topic = options_.topics.front(), start = membership_.group_start()](ConsumerHandle& handle) {
        // Not without a topic: librdkafka then asks for those that it has heard of, and lets the
        // broker create them, whatever allow.auto.create.topics says (rd_kafka_metadata).
        const Owned<rd_kafka_topic_t> any(rd_kafka_topic_new(
            handle.rk(), topic.starts_with('^') ? "__consumer_offsets" : topic.c_str(), nullptr));
        const rd_kafka_metadata_t* got = nullptr;
        const auto error = rd_kafka_metadata(handle.rk(), 0, any.get(), &got, 1000);
        const Owned<const rd_kafka_metadata_t> metadata(got);
        if (error == RD_KAFKA_RESP_ERR_NO_ERROR) start->Look(handle.rk());
        return error;
      },
      [this](rd_kafka_resp_err_t error) {
        pinging_ = false;
        if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return health_.OnHeard(client_.Now());
        health_.OnNoAnswer(rd_kafka_err2str(error), client_.Now());
      });
}

// ---- for the flow

size_t Consumer::Core::fetched_bytes() const {
  return rd_kafka_queue_length(client_.handle()->queue()) * batch_.usual_bytes();
}

void Consumer::Core::SetKafka(const config::Kafka& kafka) {
  options_.kafka = kafka;
  config_changed_ = true;
  recovery_.OnConfigChange();
  Renew();
}

void Consumer::Core::SetTopics(std::vector<std::string> topics, std::vector<std::string> never) {
  options_.topics = std::move(topics);
  topics_.SetTopics(options_.topics);
  config_changed_ = config_changed_ || never != options_.never;
  options_.never = std::move(never);
  if (config_changed_) return Renew();
  if (!active()) return;
  if (auto subscribed = client_.handle()->Subscribe(options_.topics); !subscribed)
    OnError(RD_KAFKA_RESP_ERR__INVALID_ARG, subscribed.error().message, {}, -1);
}

// A rebalance that is under way is waited for; the beat comes again.
void Consumer::Core::Renew() {
  if (!membership_.stepping() && active()) membership_.Renew();
}

void Consumer::Core::SetPolling(bool polling) {
  if (std::exchange(polling_, polling) == polling || !polling) return;
  client_.Post([this] { OnEvents(); });  // librdkafka told of what waits here long ago
}

std::optional<Consumer::Watermarks> Consumer::Core::WatermarksOf(const TopicPartition& at) const {
  Watermarks marks = client_.FetchedOffsets(at);
  if (const HeldPartition* held = held_.Find(at)) marks.high = held->EndOf(marks.high);
  if (marks.high < 0) return std::nullopt;
  return marks;
}

}  // namespace outrigger::kafka
