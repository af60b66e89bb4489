// What goes wrong: errors, the connection, a fatal error.
#include <algorithm>
#include <optional>

#include "kafka/consumer_core.h"
#include "kafka/fencing.h"

namespace outrigger::kafka {

using telemetry::Level;
using telemetry::Log;

namespace {

constexpr std::chrono::milliseconds kFirstRebuild{1000};
constexpr std::chrono::milliseconds kLastRebuild{30'000};
constexpr std::chrono::milliseconds kLongestLeave{3000};
constexpr std::chrono::milliseconds kLongestFenced{60'000};
constexpr std::chrono::minutes kSteady{5};  // nobody has fenced us for so long: forget how often

const char* HintOf(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
      return "give the user of kafka.security an ACL with READ and DESCRIBE on the topic";
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
      return "give the user of kafka.security an ACL with READ on the group";
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
      return "create the topic; it is looked for again every 10 s";
    case RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED:
      return "the process was stopped for longer than max.poll.interval.ms; the group is joined "
             "again";
    default:
      return "";
  }
}

// Whether the cluster is away is for a ping to say; what a broker answers is about something else.
std::optional<Trouble> TroubleOf(rd_kafka_resp_err_t error, const TopicPartition& at) {
  if (error == RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED) return Trouble::kGroup;
  if (error < RD_KAFKA_RESP_ERR_NO_ERROR) return std::nullopt;
  if (at.partition >= 0) return Trouble::kFetchRefused;
  switch (error) {
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
      return Trouble::kTopicMissing;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
      return Trouble::kTopicRefused;
    default:
      return Trouble::kGroup;
  }
}

}  // namespace

void Consumer::Core::OnError(rd_kafka_resp_err_t error, const std::string& text,
                             const TopicPartition& at, int64_t offset) {
  // The event carries the reason's code, or _FATAL.
  char reason[512];
  if (rd_kafka_fatal_error(handle_->rk(), reason, sizeof reason) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return OnFatal(reason);
  if (error == RD_KAFKA_RESP_ERR__FATAL) return OnFatal(text);
  if (error == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET) return OnOutOfRange(at, offset);
  if (uint64_t held_back; error_log_.Allow(loop_.Now(), held_back)) {
    Log(Level::kWarn, "the consumer has a problem",
        {{"group", options_.group},
         {"error", text},
         {"hint", HintOf(error)},
         {"held_back", std::to_string(held_back)}});
  }
  if (const auto trouble = TroubleOf(error, at)) {
    const bool topic = *trouble == Trouble::kTopicMissing || *trouble == Trouble::kTopicRefused;
    if (topic) ask_topics_at_ = loop_.Now();  // which of them, and until when
    if (topic && troubles_.holds(*trouble)) return;
    return Begin(*trouble, at.partition >= 0 ? at.text() : std::string(), text);
  }
  if (error != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || broker_error_.empty())
    broker_error_ =
        (error == RD_KAFKA_RESP_ERR__AUTHENTICATION ? "authentication failed: " : "") + text;
  Ping();
}

// ---- a fatal error

void Consumer::Core::OnFatal(const std::string& why) {
  if (fatal_) return;
  char reason[512];
  if (rd_kafka_fatal_error(handle_->rk(), reason, sizeof reason) ==
      RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID) {
    if (loop_.Now() - held_since_ > kSteady) fenced_after_ = {};
    const std::string text = "another member of group " + options_.group +
                             " has the same group.instance.id, \"" + handle_->instance_id() +
                             "\"; this one waits until it is gone. Give each pod an id of " +
                             "its own, with {hostname} in it";
    Log(Level::kError, text, {{"group", options_.group}, {"error", why}});
    Begin(Trouble::kFenced, {}, text);
    WaitFenced(why);
  } else {
    Log(Level::kError, "the Kafka consumer had a fatal error and is replaced",
        {{"group", options_.group}, {"error", why}});
    Begin(Trouble::kClient, {}, why);
    RebuildLater(why);
  }
  DropClient(why);
}

// One that works, and gets nothing: its place in the group is given up for the next one's.
void Consumer::Core::ReplaceClient(const std::string& why) {
  leave_ = true;
  RebuildLater(why);
  DropClient(why);
}

void Consumer::Core::DropClient(const std::string& why) {
  fatal_ = true;
  // The group gives these to others when the session ends.
  step_.reset();
  joined_ = false;
  const auto fresh = HeldWhere(false);
  held_.clear();
  paused_.clear();
  EndAll(Trouble::kPosition);
  EndAll(Trouble::kFetchRefused);
  FailCommits(why);
  if (!fresh.empty()) handler_.on_revoked(fresh, true, [] {});
  if (closing_) Leave();
}

void Consumer::Core::RebuildLater(const std::string& why) {
  rebuild_after_ = std::clamp(rebuild_after_ * 2, kFirstRebuild, kLastRebuild);
  rebuild_again_ = loop_.After(rebuild_after_, [this, why] { Rebuild(why); });
}

void Consumer::Core::WaitFenced(const std::string& why) {
  fenced_after_ = std::clamp(fenced_after_ * 2, kFirstRebuild, kLongestFenced);
  // Between half of it and all: two that fence each other don't come back together.
  const auto wait = fenced_after_ / 2 * (1 + std::uniform_real_distribution<double>()(random_));
  rebuild_again_ = loop_.After(std::chrono::duration_cast<base::Duration>(wait), [this, why] {
    side_->Run([this, &loop = loop_, alive = alive_, handle = handle_, group = options_.group, why,
                id = handle_->instance_id()] {
      loop.Post([this, alive, why, taken = HasInstance(handle->rk(), group, id)] {
        if (!*alive || closing_) return;
        if (taken) return WaitFenced(why);
        Rebuild(why);
      });
    });
  });
}

void Consumer::Core::Rebuild(const std::string& why) {
  if (closing_) return;
  auto old = handle_;
  if (auto open = Open(); !open) {
    Log(Level::kError, "the Kafka consumer can't be replaced; trying again",
        {{"group", options_.group}, {"error", open.error().message}});
    return RebuildLater(why);
  }
  rd_kafka_queue_io_event_enable(old->queue(), -1, nullptr, 0);
  // Questions of the new one don't wait for the old one's end.
  if (!leaving_clients_) leaving_clients_ = std::make_unique<SideThread>();
  leaving_clients_->Run([old = std::move(old), leave = std::exchange(leave_, false)] {
    if (leave) old->Leave(kLongestLeave);
  });
  fatal_ = false;
  ++rebuilds_;
}

// ---- the connection

void Consumer::Core::Ping() {
  if (std::exchange(pinging_, true)) return;
  side_->Run([this, &loop = loop_, alive = alive_, handle = handle_,
              topic = options_.topics.front(), start = group_start_] {
    // Not without a topic: librdkafka then asks for those that it has heard of, and lets the broker
    // create them, whatever allow.auto.create.topics says (rd_kafka_metadata in 2.8).
    const Owned<rd_kafka_topic_t> any(rd_kafka_topic_new(
        handle->rk(), topic.starts_with('^') ? "__consumer_offsets" : topic.c_str(), nullptr));
    const rd_kafka_metadata_t* got = nullptr;
    const rd_kafka_resp_err_t error = rd_kafka_metadata(handle->rk(), 0, any.get(), &got, 1000);
    const Owned<const rd_kafka_metadata_t> metadata(got);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) start->Look(handle->rk());
    loop.Post([this, alive, error] {
      if (!*alive) return;
      pinging_ = false;
      if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return SetConnected(true);
      SetConnected(false);
      SetError(broker_error_.empty() ? rd_kafka_err2str(error) : broker_error_);
    });
  });
}

void Consumer::Core::SetConnected(bool connected) {
  if (connected) broker_error_.clear();
  if (connected == connection_.connected) return;
  connection_.connected = connected;
  connection_.since = loop_.Now();
  if (connected) connection_.last_error.clear();
  if (handler_.on_connection) handler_.on_connection(connection_);
}

void Consumer::Core::SetError(const std::string& text) {
  if (connection_.last_error == text) return;
  connection_.last_error = text;
  if (handler_.on_connection) handler_.on_connection(connection_);
}

}  // namespace outrigger::kafka
