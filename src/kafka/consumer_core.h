// The consumer's inside. See consumer.h for what it promises; this is how.
//
// librdkafka waits for one answer (incremental assign or unassign) to each rebalance event. `step_`
// is the event that is not answered yet: an assignment whose starting points are being asked for,
// or a revocation that the flow is settling. A new event overtakes a step only when partitions were
// lost. `held_` is what librdkafka fetches for us.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/wakeup.h"
#include "kafka/cluster_questions.h"
#include "kafka/consumer.h"
#include "kafka/fetch_watchdog.h"
#include "kafka/side_thread.h"
#include "kafka/starting_points.h"
#include "telemetry/log.h"

namespace outrigger::kafka {

class Consumer::Core {
 public:
  Core(base::Loop& loop, ConsumerOptions options, ConsumerHandler handler);
  ~Core();

  base::Result<void> Open();
  void Pause(const TopicPartition& at);
  void Resume(const TopicPartition& at);
  void SetPolling(bool polling);
  size_t fetched_bytes() const;
  std::optional<Watermarks> WatermarksOf(const TopicPartition& at) const;
  void Commit(std::vector<Offset> offsets, OnCommitted on_done);
  void Close(std::function<void()> on_closed);

  base::Loop& loop_;
  ConsumerOptions options_;
  ConsumerHandler handler_;
  Connection connection_;
  std::shared_ptr<ConsumerHandle> handle_;
  uint64_t rebuilds_ = 0;
  bool joined_ = false;
  Troubles troubles_;

 private:
  struct Held {
    uint64_t epoch = 0;
    int64_t next = -1;      // the offset after the last record that was passed on
    bool revoking = false;  // the flow is settling it
    bool resetting = false;
    base::Timer again;   // the next question where to go on
    int64_t end = -1;    // behind its newest record, asked for while it is paused
    bool ended = false;  // there was nothing at `next`, and nothing has come since
    TopicIdentity identity;
    int64_t sure_end = -1;  // the topic of `identity` is known to have reached so far
  };
  struct Step {
    enum class Kind { kAssign, kRevoke, kClose, kRenew };
    uint64_t id = 0;
    Kind kind = Kind::kAssign;
    std::vector<TopicPartition> at;
    base::TimePoint since;
  };
  struct Commission {
    std::vector<Offset> offsets;
    OnCommitted on_done;
    base::TimePoint until;
    bool first = false;  // where a new group begins: of partitions that are not held
  };

  // consumer.cc: events, records
  void OnEvents();
  void OnEvent(rd_kafka_event_t& event);
  void OnRecord(const rd_kafka_message_t& message);
  void Flush();
  void Beat();
  void Post(std::function<void()> call);

  // consumer_commits.cc
  bool Rejoining() const;
  std::string Tag(const TopicIdentity& identity, const std::string& metadata) const;
  void SendCommits();
  void SendCommit(Commission commission);
  void OnCommitEvent(rd_kafka_event_t& event);
  void FailCommits(const std::string& why);
  void Refuse(Commission commission, CommitRefusal refusal, const std::string& why);

  // consumer_watch.cc: what comes though it should not, and what does not though it should
  void Watch();
  void OnEnds(const std::vector<std::pair<TopicPartition, int64_t>>& ends);
  void LookAt(const std::vector<FetchWatchdog::Seen>& seen);
  void Renew(const std::string& why);
  void AskTopics();
  void OnTopics(const std::vector<TopicState>& topics);
  void Begin(Trouble trouble, const std::string& where, const std::string& text);
  void End(Trouble trouble, const std::string& where);
  void EndAll(Trouble trouble);
  void EndRefusedFetches();

  // consumer_rebalance.cc: partitions come and go; leaving the group
  void OnRebalance(rd_kafka_event_t& event);
  void StartAssign(std::vector<TopicPartition> at);
  void Hold(const std::vector<StartingPoint>& points);
  void StartRevoke(std::vector<TopicPartition> at, bool lost);
  void StartSettling(std::vector<TopicPartition> fresh);
  void Settle(Step::Kind kind, std::vector<TopicPartition> fresh, std::vector<TopicPartition> all);
  void OnSettled(uint64_t step);
  void Release(const std::vector<TopicPartition>& at);
  void OnRebalanceWhileClosing(bool revoke, bool lost, const std::vector<TopicPartition>& at);
  void CloseNext();
  void Leave();
  void CloseHandle();
  void CheckClosed();
  std::vector<TopicPartition> HeldWhere(bool revoking) const;

  // consumer_positions.cc: where partitions are read from, and where they are read on
  void AskStartingPoints(uint64_t step);
  void OnStartingPoints(uint64_t step, base::Result<StartingPoints> found);
  void AskStartingPointsLater(uint64_t step, const std::string& why);
  void TellReset(const Reset& reset);
  void BeginGroup(uint64_t step, StartingPoints found);
  void OnEnd(const TopicPartition& at, int64_t next);
  void OnOutOfRange(const TopicPartition& at, int64_t from);
  void AskReset(const TopicPartition& at, uint64_t epoch, int64_t from);
  void OnReset(const TopicPartition& at, uint64_t epoch, int64_t from,
               const base::Result<Range>& range);
  void GoOnAt(const TopicPartition& at, int64_t to);
  void BeginAgain(const TopicPartition& at, const Range& range);
  std::vector<std::string> HeldTopics() const;
  void TellGone(const std::vector<TopicPartition>& at, std::optional<uint64_t> step,
                std::function<void(std::vector<TopicPartition>)> then);
  void AskIdentities();

  // consumer_errors.cc: errors, the connection, a new handle
  void OnError(rd_kafka_resp_err_t error, const std::string& text, const TopicPartition& at,
               int64_t offset);
  void OnFatal(const std::string& why);
  void ReplaceClient(const std::string& why);
  void DropClient(const std::string& why);
  void RebuildLater(const std::string& why);
  void WaitFenced(const std::string& why);
  void Rebuild(const std::string& why);
  void Ping();
  void SetConnected(bool connected);
  void SetError(const std::string& text);

  std::unordered_map<TopicPartition, Held, HashOf> held_;
  std::set<TopicPartition> paused_;
  std::optional<Step> step_;
  uint64_t last_step_ = 0;
  uint64_t last_epoch_ = 0;
  std::vector<Consumed> batch_;
  size_t batch_bytes_ = 0;
  size_t usual_bytes_ = 1024;  // a record of the last batch, or one before any has come
  std::deque<Commission> waiting_commits_;  // for the end of a rejoin
  std::map<uint64_t, Commission> commits_;  // librdkafka has them
  uint64_t last_commit_ = 0;
  bool tags_ = true;  // the broker has room for topic identities beside the flow's metadata
  base::TimePoint rejoin_until_;  // what was released makes librdkafka join again at once

  std::shared_ptr<GroupStart> group_start_;  // the side thread's
  std::unique_ptr<SideThread> side_;
  std::unique_ptr<SideThread> leaving_clients_;  // ends those that were replaced, which can block
  std::optional<base::Wakeup> wakeup_;
  base::Timer beat_, ask_again_, rebuild_again_, commit_again_, look_closed_, leave_at_last_;
  std::chrono::milliseconds rebuild_after_{0};
  std::chrono::milliseconds fenced_after_{0};
  base::TimePoint held_since_;
  std::minstd_rand random_{std::random_device{}()};
  bool fatal_ = false;  // the handle is done for: another will take its place
  bool leave_ = false;  // … but its place in the group is still to be left
  bool pinging_ = false;
  FetchWatchdog watchdog_;
  bool asking_ends_ = false;
  bool asking_topics_ = false;
  bool asking_identities_ = false;
  base::TimePoint ask_ends_at_, ask_topics_at_, ask_identities_at_;
  bool polling_ = true;
  std::string broker_error_;  // since the last sign of life
  telemetry::LogLimit error_log_;

  bool closing_ = false;
  std::optional<std::vector<TopicPartition>> owed_;  // a revocation that came while closing
  bool leaving_ = false;                             // librdkafka has been told to leave the group
  bool closing_handle_ = false;                      // … and to end
  bool closed_ = false;
  std::function<void()> on_closed_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace outrigger::kafka
