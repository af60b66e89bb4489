// The consumer on the embedded broker, with the faults that librdkafka's mock cluster can play.
#include "kafka/consumer.h"

#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <algorithm>
#include <map>
#include <set>

#include "kafka/embedded.h"
#include "kafka/producer.h"
#include "support/on_loop.h"

namespace outrigger::kafka {
namespace {

constexpr int kFetch = 1;         // ApiKey of FetchRequest
constexpr int kHeartbeat = 12;    // … HeartbeatRequest
constexpr int kListOffsets = 2;   // … ListOffsetsRequest
constexpr int kOffsetCommit = 8;  // … OffsetCommitRequest
constexpr int kOffsetFetch = 9;   // … OffsetFetchRequest
constexpr int kLeaveGroup = 13;   // … LeaveGroupRequest
constexpr int kPartitions = 4;

// A consumer and all that it told.
struct Member {
  Member(base::Loop& loop, ConsumerOptions options) {
    ConsumerHandler handler;
    handler.on_assigned = [this](std::vector<Assigned> assigned) {
      for (auto& each : assigned) {
        EXPECT_FALSE(held.contains(each.at));
        held[each.at] = each;
      }
    };
    handler.on_revoked = [this](std::vector<TopicPartition> at, bool lost,
                                std::function<void()> settled) {
      ++revocations;
      if (lost) losses += at.size();
      for (const auto& each : at) EXPECT_EQ(held.erase(each), 1u);
      if (settle_at_once) return settled();
      revoked = at;
      settle = std::move(settled);
    };
    handler.on_records = [this](std::vector<Consumed> batch) {
      for (auto& record : batch) {
        const TopicPartition at{record.topic, record.partition};
        EXPECT_TRUE(held.contains(at));
        EXPECT_EQ(record.epoch, held[at].epoch);
        records.push_back(std::move(record));
      }
      size_t bytes = 0;
      for (size_t n = records.size() - batch.size(); n < records.size(); ++n)
        bytes += records[n].bytes();
      largest_batch = std::max(largest_batch, bytes);
    };
    handler.on_connection = [this](const Connection& now) { connection = now; };
    handler.on_end = [this](const TopicPartition& at, uint64_t epoch, int64_t next) {
      EXPECT_EQ(epoch, held[at].epoch);
      ends[at] = next;
    };
    handler.on_reset = [this](const Reset& reset) {
      resets.push_back(reset);
      if (reset.reason != ResetReason::kDeleted) held.erase(reset.at);
    };
    consumer = std::move(*Consumer::Create(loop, std::move(options), std::move(handler)));
  }

  std::map<TopicPartition, Assigned> held;
  std::vector<Consumed> records;
  std::vector<Reset> resets;
  std::map<TopicPartition, int64_t> ends;
  std::vector<TopicPartition> revoked;
  std::function<void()> settle;
  bool settle_at_once = true;
  size_t revocations = 0, losses = 0, largest_batch = 0;  // … in bytes
  Connection connection;
  std::unique_ptr<Consumer> consumer;  // goes first
};

class ConsumerTest : public testing::Test {
 protected:
  ConsumerTest() {
    broker_ = std::move(*EmbeddedBroker::Start(1));
    mock_ = static_cast<rd_kafka_mock_cluster_t*>(broker_->native_handle());
    rd_kafka_mock_group_initial_rebalance_delay_ms(mock_, 0);
    broker_->CreateTopic("t", kPartitions);
    broker_->CreateTopic("one", 1);
    ProducerOptions options;
    options.kafka.brokers = {broker_->bootstrap()};
    producer_ = std::move(*Producer::Create(loop_, std::move(options)));
  }

  ConsumerOptions Options(const std::string& topic = "t") {
    ConsumerOptions options;
    options.kafka.brokers = {broker_->bootstrap()};
    // The embedded broker lets a group wait for session.timeout.ms less a second before it shares
    // the partitions out again.
    options.kafka.consumer_properties["session.timeout.ms"] = {"1500", {}, "test"};
    options.kafka.consumer_properties["heartbeat.interval.ms"] = {"100", {}, "test"};
    options.group = "g";
    options.topics = {topic};
    return options;
  }
  std::unique_ptr<Member> Join(const std::string& topic = "t", const char* session_ms = "1500") {
    ConsumerOptions options = Options(topic);
    options.kafka.consumer_properties["session.timeout.ms"].value = session_ms;
    return std::make_unique<Member>(loop_, std::move(options));
  }

  // `count` records into each partition, acked.
  void Send(int count, const std::string& topic = "t", size_t bytes = 1) {
    size_t waiting = 0;
    for (int n = 0; n < count; ++n) {
      for (int32_t p = 0; p < (topic == "one" ? 1 : kPartitions); ++p) {
        event::Record record;
        record.topic = topic;
        record.partition = p;
        record.key = "key-" + std::to_string(p);
        record.value = std::string(bytes, 'v');
        record.headers = {{"a", "1"}, {"none", std::nullopt}};
        ++waiting;
        producer_->Produce(std::move(record), [&waiting](const Report& report, event::Record&) {
          EXPECT_TRUE(report);
          --waiting;
        });
      }
    }
    ASSERT_TRUE(Until([&] { return waiting == 0; }));
  }

  bool Until(const std::function<bool()>& truth) { return test::RunUntil(loop_, truth); }
  // The loop runs for `time`; for what must not happen.
  void Pass(std::chrono::milliseconds time) {
    const auto end = loop_.Now() + time;
    Until([&] { return loop_.Now() > end; });
  }
  bool Commit(Member& member, std::vector<Consumer::Offset> offsets) {
    const auto results = Results(member, std::move(offsets));
    return !results.empty() && std::ranges::all_of(results, &CommitResult::taken);
  }
  std::vector<CommitResult> Results(Member& member, std::vector<Consumer::Offset> offsets) {
    std::optional<std::vector<CommitResult>> done;
    member.consumer->Commit(std::move(offsets), [&](const auto& results) { done = results; });
    EXPECT_FALSE(done);
    EXPECT_TRUE(Until([&] { return done.has_value(); }));
    return done.value_or(std::vector<CommitResult>());
  }
  bool Close(Member& member) {
    bool closed = false;
    member.consumer->Close([&] { closed = true; });
    return Until([&] { return closed; });
  }
  int Requests(int key) {
    size_t count = 0;
    rd_kafka_mock_request_t** requests = rd_kafka_mock_get_requests(mock_, &count);
    int found = 0;
    for (size_t i = 0; i < count; ++i) found += rd_kafka_mock_request_api_key(requests[i]) == key;
    rd_kafka_mock_request_destroy_array(requests, count);
    return found;
  }
  bool Shared(const std::vector<Member*>& members) {
    size_t sum = 0;
    for (const Member* member : members) {
      if (member->held.empty()) return false;
      sum += member->held.size();
    }
    return sum == kPartitions;
  }

  base::Loop loop_;
  std::unique_ptr<EmbeddedBroker> broker_;
  rd_kafka_mock_cluster_t* mock_ = nullptr;
  std::unique_ptr<Producer> producer_;
  const TopicPartition one_{"one", 0};
};

TEST_F(ConsumerTest, WhatWasProducedComesInOrderWithKeysAndHeaders) {
  Send(50);
  const auto member = Join();
  ASSERT_TRUE(Until([&] { return member->records.size() == 50 * kPartitions; }));
  std::map<int32_t, int64_t> next;
  for (const auto& record : member->records) {
    EXPECT_EQ(record.offset, next[record.partition]++);
    EXPECT_EQ(record.key, "key-" + std::to_string(record.partition));
    EXPECT_EQ(record.value, "v");
    EXPECT_GT(record.timestamp_ms, 0);
    ASSERT_EQ(record.headers.size(), 2u);
    EXPECT_EQ(record.headers[0], (event::Header{"a", "1"}));
    EXPECT_EQ(record.headers[1].value, std::nullopt);
  }
  EXPECT_EQ(member->held.size(), static_cast<size_t>(kPartitions));
  std::set<uint64_t> epochs;
  for (const auto& [at, assigned] : member->held) {
    EXPECT_EQ(assigned.position, 0);
    epochs.insert(assigned.epoch);
  }
  EXPECT_EQ(epochs.size(), static_cast<size_t>(kPartitions));
  EXPECT_TRUE(member->connection.connected);
  const auto marks = member->consumer->WatermarksOf({"t", 0});
  ASSERT_TRUE(marks);
  EXPECT_EQ(marks->high, 50);
}

TEST_F(ConsumerTest, ABatchIsBoundedByItsBytesSoThatPollingCanEndBehindIt) {
  Send(20, "one", 200'000);
  const auto member = Join("one");
  ASSERT_TRUE(Until([&] { return member->records.size() == 20; }));
  EXPECT_LT(member->largest_batch, (1u << 20) + 201'000);
}

TEST_F(ConsumerTest, TheCommittedOffsetAndItsMetadataComeBackAfterARestart) {
  Send(10, "one");
  auto member = Join("one");
  ASSERT_TRUE(Until([&] { return member->records.size() == 10; }));
  ASSERT_TRUE(Commit(*member, {{one_, member->held[one_].epoch, 7, "8,9 of 10"}}));
  ASSERT_TRUE(Close(*member));
  member = Join("one");
  ASSERT_TRUE(Until([&] { return member->records.size() == 3; }));
  EXPECT_EQ(member->held[one_].position, 7);
  EXPECT_EQ(member->held[one_].metadata, "8,9 of 10");
  EXPECT_TRUE(member->held[one_].committed);
  EXPECT_EQ(member->records[0].offset, 7);
}

TEST_F(ConsumerTest, ARegularExpressionTakesItsTopics) {
  Send(1);
  Send(1, "one");
  const auto member = Join("^(t|one)$");
  ASSERT_TRUE(Until([&] { return member->records.size() == kPartitions + 1; }));
}

TEST_F(ConsumerTest, ARevokedPartitionGoesOnlyWhenItIsSettledAndPollingGoesOnMeanwhile) {
  const auto a = Join("t", "4000"), b = Join("t", "4000");
  ASSERT_TRUE(Until([&] { return Shared({a.get(), b.get()}); }));
  Send(5);
  ASSERT_TRUE(Until([&] { return a->records.size() + b->records.size() == 5 * kPartitions; }));
  a->settle_at_once = b->settle_at_once = false;
  const auto c = Join("t", "4000");
  ASSERT_TRUE(Until([&] { return a->settle || b->settle; }));
  Member& giver = a->settle ? *a : *b;
  const TopicPartition given = giver.revoked.at(0);
  Pass(std::chrono::milliseconds(1500));
  EXPECT_FALSE(c->held.contains(given));
  // What was settled meanwhile is committed, under the old epoch.
  uint64_t epoch = 0;
  for (const auto& record : giver.records)
    if (TopicPartition{record.topic, record.partition} == given) epoch = record.epoch;
  // (While it shares partitions out, the embedded broker takes no commits, as Kafka does.)
  const bool taken = Commit(giver, {{given, epoch, 4, "m"}});
  const int64_t position = taken ? 4 : 0;
  giver.settle();
  giver.settle();
  ASSERT_TRUE(Until([&] { return c->held.contains(given); }));
  EXPECT_EQ(c->held[given].position, position);
  EXPECT_EQ(c->held[given].metadata, taken ? "m" : "");
  // Now it is too late.
  EXPECT_FALSE(Commit(giver, {{given, epoch, 1, "late"}}));
  a->settle_at_once = b->settle_at_once = true;
  for (Member* member : {a.get(), b.get()})
    if (member != &giver && member->settle) member->settle();
  ASSERT_TRUE(Until([&] { return Shared({a.get(), b.get(), c.get()}); }));
  const size_t before = a->records.size() + b->records.size();
  Send(1);
  ASSERT_TRUE(Until([&] { return a->records.size() + b->records.size() > before; }));
  ASSERT_TRUE(Close(*c));
  ASSERT_TRUE(Until([&] { return Shared({a.get(), b.get()}); }));
  const Member& again = a->held.contains(given) ? *a : *b;
  EXPECT_EQ(again.held.at(given).position, position);
  EXPECT_EQ(a->losses + b->losses, 0u);
}

TEST_F(ConsumerTest, ACommitOfAnOldEpochIsRefusedAndLeftOut) {
  Send(5, "one");
  auto member = Join("one");
  ASSERT_TRUE(Until([&] { return member->records.size() == 5; }));
  const uint64_t epoch = member->held[one_].epoch;
  EXPECT_TRUE(Commit(*member, {{one_, epoch, 3, "good"}}));
  const auto results =
      Results(*member, {{one_, epoch + 1, 5, "bad"}, {{"t", 0}, epoch, 5, "not held"}});
  ASSERT_EQ(results.size(), 2u);
  for (const auto& result : results) EXPECT_EQ(result.refusal, CommitRefusal::kNotMember);
  EXPECT_TRUE(Results(*member, {}).empty());
  ASSERT_TRUE(Close(*member));
  member = Join("one");
  ASSERT_TRUE(Until([&] { return !member->held.empty(); }));
  EXPECT_EQ(member->held[one_].position, 3);
  EXPECT_EQ(member->held[one_].metadata, "good");
}

TEST_F(ConsumerTest, ARefusedCommitIsReportedWithWhatItsRefusalMeans) {
  Send(1, "one");
  const auto member = Join("one");
  ASSERT_TRUE(Until([&] { return !member->records.empty(); }));
  rd_kafka_mock_push_request_errors(mock_, kOffsetCommit, 1,
                                    RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE);
  const auto results = Results(*member, {{one_, member->held[one_].epoch, 1, "long"}});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].refusal, CommitRefusal::kMetadataTooLarge);
  EXPECT_EQ(results[0].at, one_);
  EXPECT_EQ(results[0].epoch, member->held[one_].epoch);
  EXPECT_FALSE(results[0].why.empty());
  EXPECT_TRUE(Commit(*member, {{one_, member->held[one_].epoch, 1, "short"}}));
}

TEST_F(ConsumerTest, APausedPartitionRestsUntilItIsResumed) {
  const auto member = Join();
  ASSERT_TRUE(Until([&] { return Shared({member.get()}); }));
  const TopicPartition paused{"t", 2};
  member->consumer->Pause(paused);
  Send(10);
  ASSERT_TRUE(Until([&] { return member->records.size() == 10 * (kPartitions - 1); }));
  Pass(std::chrono::milliseconds(300));
  EXPECT_EQ(member->records.size(), 10u * (kPartitions - 1));
  member->consumer->Resume(paused);
  ASSERT_TRUE(Until([&] { return member->records.size() == 10 * kPartitions; }));
}

TEST_F(ConsumerTest, TheEndOfAPausedPartitionIsKnownThoughNothingIsFetched) {
  Send(2, "one");
  const auto member = Join("one");
  ASSERT_TRUE(Until([&] { return member->records.size() == 2; }));
  member->consumer->Pause(one_);
  const auto high = [&] { return member->consumer->WatermarksOf(one_)->high; };
  Send(10, "one");
  EXPECT_TRUE(Until([&] { return high() == 12; }));
  // A question that fails is asked again.
  rd_kafka_mock_push_request_errors(mock_, kListOffsets, 1,
                                    RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  Send(5, "one");
  EXPECT_TRUE(Until([&] { return high() == 17; }));
  EXPECT_EQ(member->records.size(), 2u);
  member->consumer->Resume(one_);
  Send(1, "one");
  ASSERT_TRUE(Until([&] { return member->records.size() == 18; }));
  EXPECT_EQ(high(), 18);
}

TEST_F(ConsumerTest, PausedForLongerThanMaxPollIntervalTheMembershipLives) {
  ConsumerOptions options = Options("one");
  options.kafka.consumer_properties["session.timeout.ms"] = {"2000", {}, "test"};
  options.kafka.consumer_properties["max.poll.interval.ms"] = {"2000", {}, "test"};
  const Member member(loop_, std::move(options));
  ASSERT_TRUE(Until([&] { return !member.held.empty(); }));
  member.consumer->Pause(one_);
  Pass(std::chrono::milliseconds(5000));
  EXPECT_EQ(member.revocations, 0u);
  Send(3, "one");
  member.consumer->Resume(one_);
  ASSERT_TRUE(Until([&] { return member.records.size() == 3; }));
  EXPECT_EQ(member.revocations, 0u);
}

TEST_F(ConsumerTest, LatestBeginsBehindWhatIsThere) {
  Send(5, "one");
  ConsumerOptions options = Options("one");
  options.start.at = config::StartFrom::At::kLatest;
  const Member member(loop_, std::move(options));
  ASSERT_TRUE(Until([&] { return !member.held.empty(); }));
  EXPECT_EQ(member.held.at(one_).position, 5);
  EXPECT_TRUE(member.held.at(one_).committed);
  Send(1, "one");
  ASSERT_TRUE(Until([&] { return !member.records.empty(); }));
  EXPECT_EQ(member.records[0].offset, 5);
}

TEST_F(ConsumerTest, WhereANewGroupBeginsIsCommittedBeforeItsFirstRecord) {
  Send(5, "one");
  ConsumerOptions options = Options("one");
  options.start.at = config::StartFrom::At::kLatest;
  auto member = std::make_unique<Member>(loop_, options);
  ASSERT_TRUE(Until([&] { return !member->held.empty(); }));
  member.reset();  // as if it was killed
  Send(2, "one");
  member = std::make_unique<Member>(loop_, options);
  ASSERT_TRUE(Until([&] { return member->records.size() == 2; }));
  EXPECT_EQ(member->records[0].offset, 5);
}

TEST_F(ConsumerTest, ABeginningThatCantBeCommittedIsTriedAgain) {
  Send(5, "one");
  rd_kafka_mock_push_request_errors(mock_, kOffsetCommit, 2,
                                    RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
                                    RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED);
  ConsumerOptions options = Options("one");
  options.start.at = config::StartFrom::At::kLatest;
  const Member member(loop_, options);
  ASSERT_TRUE(Until([&] { return member.consumer->troubles().holds(Trouble::kPosition); }));
  EXPECT_TRUE(member.held.empty());
  ASSERT_TRUE(Until([&] { return !member.held.empty(); }));
  EXPECT_EQ(member.held.at(one_).position, 5);
}

TEST_F(ConsumerTest, MembersOfANewGroupThatComeTogetherAllBeginAtTheEnd) {
  Send(20);
  ConsumerOptions options = Options("t");
  options.start.at = config::StartFrom::At::kLatest;
  Member a(loop_, options), b(loop_, options), c(loop_, options);
  ASSERT_TRUE(Until([&] { return Shared({&a, &b, &c}); }));
  for (const Member* member : {&a, &b, &c}) {
    for (const auto& [at, assigned] : member->held) {
      EXPECT_EQ(assigned.position, 20) << at.text();
      EXPECT_TRUE(assigned.committed);
    }
    EXPECT_TRUE(member->records.empty());
  }
}

TEST_F(ConsumerTest, APartitionWithoutACommitOfAGroupThatIsNotNewIsReadFromItsBeginning) {
  Send(5);
  auto member = Join("t");
  ASSERT_TRUE(Until([&] { return member->records.size() == 5 * kPartitions; }));
  ASSERT_TRUE(Commit(*member, {{{"t", 1}, member->held[{"t", 1}].epoch, 3, {}}}));
  ASSERT_TRUE(Close(*member));
  ConsumerOptions options = Options("t");
  options.start.at = config::StartFrom::At::kLatest;
  member = std::make_unique<Member>(loop_, options);
  ASSERT_TRUE(Until([&] { return member->records.size() == 5 * kPartitions - 3; }));
  for (const auto& [at, assigned] : member->held)
    EXPECT_EQ(assigned.position, at.partition == 1 ? 3 : 0);
}

TEST_F(ConsumerTest, ATopicThatComesLaterIsReadFromItsBeginning) {
  for (const char* topics : {"later-name", "^later-re.*"}) {
    const std::string name = topics[0] == '^' ? "later-regex" : topics;
    ConsumerOptions options = Options(topics);
    options.group = name;
    options.start.at = config::StartFrom::At::kLatest;
    options.kafka.consumer_properties["topic.metadata.refresh.interval.ms"] = {"300", {}, "test"};
    const Member member(loop_, options);
    ASSERT_TRUE(Until([&] { return member.connection.connected; }));
    Pass(std::chrono::milliseconds(500));
    broker_->CreateTopic(name, kPartitions);
    Send(5, name);
    ASSERT_TRUE(Until([&] { return member.records.size() == 5 * kPartitions; })) << topics;
  }
}

TEST_F(ConsumerTest, ACommitOfAnOlderTopicOfThatNameIsNotTaken) {
  Send(5, "one");
  auto member = Join("one");
  ASSERT_TRUE(Until([&] { return member->records.size() == 5; }));
  auto* rk = static_cast<rd_kafka_t*>(member->consumer->native_handle());
  char* cluster = rd_kafka_clusterid(rk, 1000);
  ASSERT_NE(cluster, nullptr);
  std::string metadata = std::string("ot1:AAAAAAAAAAAAAAAAAAAAAA@") + cluster + ";m";
  rd_kafka_mem_free(rk, cluster);
  for (const bool foreign : {true, false}) {
    if (foreign) metadata.insert(metadata.find('@') + 1, "not-");
    const PartitionList list = ToList({one_});
    list->elems[0].offset = 3;
    list->elems[0].metadata = strdup(metadata.c_str());
    list->elems[0].metadata_size = metadata.size();
    ASSERT_EQ(
        rd_kafka_commit(static_cast<rd_kafka_t*>(member->consumer->native_handle()), list.get(), 0),
        RD_KAFKA_RESP_ERR_NO_ERROR);
    ASSERT_TRUE(Close(*member));
    member = Join("one");
    ASSERT_TRUE(Until([&] { return !member->held.empty(); }));
    EXPECT_EQ(member->held[one_].position, foreign ? 3 : 0);
    EXPECT_EQ(member->held[one_].metadata, foreign ? "m" : "");
    ASSERT_EQ(member->resets.size(), foreign ? 0u : 1u);
    if (foreign) metadata.erase(metadata.find("not-"), 4);
  }
  EXPECT_EQ(member->resets[0].reason, ResetReason::kRecreated);
  EXPECT_EQ(member->resets[0].from, 3);
  EXPECT_EQ(member->resets[0].to, 0);
}

TEST_F(ConsumerTest, TheEndOfAPartitionIsTold) {
  const auto member = Join("one");
  ASSERT_TRUE(Until([&] { return member->ends.contains(one_) && member->ends[one_] == 0; }));
  Send(7, "one");
  ASSERT_TRUE(Until([&] { return member->ends[one_] == 7; }));
  EXPECT_EQ(member->records.size(), 7u) << "the records come before it";
}

TEST_F(ConsumerTest, ATopicThatIsNotThereIsNotCreated) {
  for (const char* topics : {"misspelt", "^mis.*"}) {
    ConsumerOptions options = Options(topics);
    if (topics[0] == '^') options.topics.push_back("misspelt");
    options.group = topics;
    options.kafka.properties["allow.auto.create.topics"] = {"true", {}, "test"};
    options.kafka.consumer_properties["topic.metadata.refresh.interval.ms"] = {"300", {}, "test"};
    const Member member(loop_, options);
    ASSERT_TRUE(Until([&] { return member.consumer->troubles().holds(Trouble::kTopicMissing); }));
    for (int broken = 0; broken < 2; ++broken) {  // it asks more while it is not connected
      rd_kafka_mock_broker_set_down(mock_, 1);
      ASSERT_TRUE(Until([&] { return !member.connection.connected; }));
      rd_kafka_mock_broker_set_up(mock_, 1);
      ASSERT_TRUE(Until([&] { return member.connection.connected; }));
    }
    Pass(std::chrono::milliseconds(1500));
    EXPECT_TRUE(member.consumer->troubles().holds(Trouble::kTopicMissing));
    EXPECT_TRUE(member.held.empty());
  }
}

TEST_F(ConsumerTest, CommittedOffsetsThatCantBeAskedForAreAskedForAgain) {
  Send(3, "one");
  auto member = Join("one");
  ASSERT_TRUE(Until([&] { return member->records.size() == 3; }));
  ASSERT_TRUE(Commit(*member, {{one_, member->held[one_].epoch, 2, "m"}}));
  ASSERT_TRUE(Close(*member));
  rd_kafka_mock_push_request_errors(mock_, kOffsetFetch, 2,
                                    RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
                                    RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED);
  member = Join("one");
  ASSERT_TRUE(Until([&] { return !member->held.empty(); }));
  EXPECT_EQ(member->held[one_].position, 2);
}

TEST_F(ConsumerTest, WhatWasDeletedBeforeItWasReadIsNamedAndTheOldestRecordComesNext) {
  Send(2, "one");
  auto member = Join("one");
  ASSERT_TRUE(Until([&] { return member->records.size() == 2; }));
  ASSERT_TRUE(Commit(*member, {{one_, member->held[one_].epoch, 1, {}}}));
  ASSERT_TRUE(Close(*member));
  Send(12, "one", 900'000);  // the embedded broker keeps 5 MB
  member = Join("one");
  ASSERT_TRUE(Until([&] { return !member->resets.empty() && !member->records.empty(); }));
  ASSERT_EQ(member->resets.size(), 1u);
  EXPECT_EQ(member->resets[0].from, 1);
  EXPECT_GT(member->resets[0].to, 1);
  EXPECT_EQ(member->resets[0].reason, ResetReason::kDeleted);
  EXPECT_EQ(member->resets[0].lost, member->resets[0].to - 1);
  EXPECT_EQ(member->records[0].offset, member->resets[0].to);
  // What came before is not taken back.
  EXPECT_EQ(member->losses, 0u);
  EXPECT_EQ(member->records[0].epoch, member->held[one_].epoch);
}

TEST_F(ConsumerTest, WhatWasDeletedWhileAPartitionWasPausedLeavesItPausedUntilItIsResumed) {
  Send(2, "one");
  const auto member = Join("one");
  ASSERT_TRUE(Until([&] { return member->records.size() == 2; }));
  const uint64_t epoch = member->held[one_].epoch;
  member->consumer->Pause(one_);
  Send(12, "one", 900'000);
  Pass(std::chrono::milliseconds(300));
  EXPECT_EQ(member->records.size(), 2u);
  member->consumer->Resume(one_);
  ASSERT_TRUE(Until([&] { return !member->resets.empty() && member->records.size() > 2; }));
  EXPECT_EQ(member->resets[0].from, 2);
  EXPECT_EQ(member->records[2].offset, member->resets[0].to);
  EXPECT_EQ(member->held[one_].epoch, epoch);
  EXPECT_EQ(member->losses, 0u);
  member->consumer->Pause(one_);
  Pass(std::chrono::milliseconds(300));  // what was on its way
  const size_t before = member->records.size();
  Send(1, "one");
  Pass(std::chrono::milliseconds(300));
  EXPECT_EQ(member->records.size(), before);
}

TEST_F(ConsumerTest, AnOffsetAboveTheNewestIsReadFromTheBeginningWhereverAGroupBegins) {
  Send(2, "one");
  auto member = Join("one");
  ASSERT_TRUE(Until([&] { return member->records.size() == 2; }));
  ASSERT_TRUE(Commit(*member, {{one_, member->held[one_].epoch, 1000, {}}}));
  ASSERT_TRUE(Close(*member));
  ConsumerOptions options = Options("one");
  options.start.at = config::StartFrom::At::kLatest;
  member = std::make_unique<Member>(loop_, std::move(options));
  ASSERT_TRUE(Until([&] { return member->records.size() == 2; }));
  ASSERT_EQ(member->resets.size(), 1u);
  EXPECT_EQ(member->resets[0].from, 1000);
  EXPECT_EQ(member->resets[0].to, 0);
  EXPECT_EQ(member->resets[0].reason, ResetReason::kTruncated);
}

TEST_F(ConsumerTest, CloseSettlesCommitsAndLeavesSoThatAnotherHasThePartitionsSoon) {
  Send(5, "one");
  const auto holder = Join("one");
  ASSERT_TRUE(Until([&] { return holder->records.size() == 5; }));
  holder->settle_at_once = false;
  const uint64_t epoch = holder->held[one_].epoch;
  rd_kafka_mock_start_request_tracking(mock_);
  bool closed = false;
  holder->consumer->Close([&] { closed = true; });
  ASSERT_TRUE(holder->settle);
  ASSERT_TRUE(Commit(*holder, {{one_, epoch, 5, "all"}}));
  EXPECT_FALSE(closed);
  EXPECT_EQ(Requests(kLeaveGroup), 0);
  holder->settle();
  ASSERT_TRUE(Until([&] { return closed; }));
  EXPECT_EQ(Requests(kLeaveGroup), 1);
  const auto heir = Join("one");
  ASSERT_TRUE(Until([&] { return !heir->held.empty(); }));
  EXPECT_EQ(heir->held[one_].position, 5);
  EXPECT_EQ(heir->held[one_].metadata, "all");
}

TEST_F(ConsumerTest, AnotherThatJoinsWhileClosingIsSettledWaitsForItsEnd) {
  const auto holder = Join("one", "4000");
  ASSERT_TRUE(Until([&] { return !holder->held.empty(); }));
  holder->settle_at_once = false;
  bool closed = false;
  holder->consumer->Close([&] { closed = true; });
  const auto heir = Join("one", "4000");
  Pass(std::chrono::milliseconds(5000));  // the group shares out again meanwhile
  EXPECT_TRUE(heir->held.empty());
  EXPECT_FALSE(closed);
  EXPECT_EQ(holder->losses, 0u);
  holder->settle();
  ASSERT_TRUE(Until([&] { return closed && !heir->held.empty(); }));
}

TEST_F(ConsumerTest, CloseBeforeAnythingWasAssignedIsDoneToo) {
  const auto member = Join();
  ASSERT_TRUE(Close(*member));
  EXPECT_EQ(member->revocations, 0u);
}

TEST_F(ConsumerTest, CloseWhileARevocationIsBeingSettledEndsToo) {
  const auto a = Join();
  ASSERT_TRUE(Until([&] { return Shared({a.get()}); }));
  a->settle_at_once = false;
  const auto b = Join();
  ASSERT_TRUE(Until([&] { return static_cast<bool>(a->settle); }));
  bool closed = false;
  a->consumer->Close([&] { closed = true; });
  a->settle_at_once = true;
  std::exchange(a->settle, nullptr)();
  ASSERT_TRUE(Until([&] { return closed && Shared({b.get()}); }));
  EXPECT_TRUE(a->held.empty());
}

TEST_F(ConsumerTest, ALostAssignmentIsToldAsLostAndComesAgainUnderANewEpoch) {
  Send(2, "one");
  const auto member = Join("one");
  ASSERT_TRUE(Until([&] { return member->records.size() == 2; }));
  const uint64_t epoch = member->held[one_].epoch;
  member->settle_at_once = false;  // nobody waits for it
  rd_kafka_mock_push_request_errors(mock_, kHeartbeat, 1, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID);
  ASSERT_TRUE(Until([&] { return member->losses == 1 && !member->held.empty(); }));
  EXPECT_GT(member->held[one_].epoch, epoch);
  ASSERT_TRUE(Until([&] { return member->records.size() == 4; }));
}

TEST_F(ConsumerTest, LostWhileARevocationIsBeingSettledNothingStaysBehind) {
  const auto a = Join();
  ASSERT_TRUE(Until([&] { return Shared({a.get()}); }));
  a->settle_at_once = false;
  const auto b = Join();
  ASSERT_TRUE(Until([&] { return static_cast<bool>(a->settle); }));
  rd_kafka_mock_push_request_errors(mock_, kHeartbeat, 2, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID,
                                    RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID);
  Pass(std::chrono::milliseconds(600));
  a->settle_at_once = true;
  std::exchange(a->settle, nullptr)();
  ASSERT_TRUE(Until([&] { return Shared({a.get(), b.get()}); }));
  Send(1);
  ASSERT_TRUE(Until([&] { return a->records.size() + b->records.size() >= kPartitions; }));
}

TEST_F(ConsumerTest, AfterAFatalErrorTheHandleIsNewAndRecordsCome) {
  Send(2, "one");
  ConsumerOptions options = Options("one");
  options.kafka.consumer_properties["session.timeout.ms"] = {"2000", {}, "test"};
  Member member(loop_, std::move(options));
  ASSERT_TRUE(Until([&] { return member.records.size() == 2; }));
  ASSERT_TRUE(Commit(member, {{one_, member.held[one_].epoch, 2, {}}}));
  rd_kafka_test_fatal_error(static_cast<rd_kafka_t*>(member.consumer->native_handle()),
                            RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, "for the test");
  ASSERT_TRUE(Until([&] { return member.losses == 1; }));
  Send(1, "one");
  ASSERT_TRUE(Until([&] { return member.records.size() == 3; }));
  EXPECT_EQ(member.records[2].offset, 2);
  EXPECT_EQ(member.consumer->rebuilds(), 1u);
}

TEST_F(ConsumerTest, AClientThatFetchesNothingOfWhatIsThereGivesWayToANewOneAndLosesNothing) {
  Send(2, "one");
  const auto member = Join("one");
  ASSERT_TRUE(Until([&] { return member->records.size() == 2; }));
  ASSERT_TRUE(Commit(*member, {{one_, member->held[one_].epoch, 2, {}}}));
  for (int n = 0; n < 5000; ++n)
    rd_kafka_mock_push_request_errors(mock_, kFetch, 1, RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH);
  Send(3, "one");
  const auto& troubles = member->consumer->troubles();
  ASSERT_TRUE(test::RunUntil(
      loop_, [&] { return troubles.holds(Trouble::kNotFetching, "one/0"); },
      std::chrono::seconds(40)));
  const std::string text = troubles.all().front().text;
  EXPECT_NE(text.find("from offset 2"), std::string::npos) << text;
  EXPECT_NE(text.find("up to 5"), std::string::npos) << text;
  rd_kafka_mock_clear_request_errors(mock_, kFetch);
  ASSERT_TRUE(Until([&] { return member->records.size() == 5; }));
  EXPECT_EQ(member->records[2].offset, 2);
  EXPECT_EQ(member->consumer->rebuilds(), 1u);
  EXPECT_EQ(member->losses, 0u) << "it is given back, not lost";
  EXPECT_TRUE(Until([&] { return troubles.all().empty(); }));
}

TEST_F(ConsumerTest, WithOtherBrokersEverythingIsRevokedAndTheirsIsRead) {
  Send(2, "one");
  const auto member = Join("one");
  ASSERT_TRUE(Until([&] { return member->records.size() == 2; }));
  const auto other = std::move(*EmbeddedBroker::Start(1));
  rd_kafka_mock_group_initial_rebalance_delay_ms(
      static_cast<rd_kafka_mock_cluster_t*>(other->native_handle()), 0);
  other->CreateTopic("one", 2);
  config::Kafka kafka = Options().kafka;
  kafka.brokers = {other->bootstrap()};
  member->consumer->SetKafka(kafka);
  ASSERT_TRUE(Until([&] { return member->held.size() == 2; }));
  EXPECT_EQ(member->revocations, 1u);
  EXPECT_EQ(member->losses, 0u);
  EXPECT_EQ(member->held[one_].position, 0);
  EXPECT_TRUE(member->connection.connected);
  member->consumer.reset();
}

TEST_F(ConsumerTest, WhereItCantReachItsBrokersOthersAreAskedAtOnce) {
  ConsumerOptions options = Options("one");
  options.kafka.brokers = {"127.0.0.1:1"};
  Member member(loop_, std::move(options));
  ASSERT_TRUE(Until([&] { return !member.connection.last_error.empty(); }));
  member.consumer->SetKafka(Options().kafka);
  Send(1, "one");
  EXPECT_TRUE(Until([&] { return member.records.size() == 1; }));
}

TEST_F(ConsumerTest, WhenTheTopicsChangeThoseThatStayKeepTheirPartitions) {
  const auto member = Join();
  ASSERT_TRUE(Until([&] { return member->held.size() == kPartitions; }));
  const auto before = member->held;
  member->consumer->SetTopics({"t", "one"}, {});
  ASSERT_TRUE(Until([&] { return member->held.contains(one_); }));
  EXPECT_EQ(member->revocations, 0u);
  for (const auto& [at, assigned] : before) EXPECT_EQ(member->held[at].epoch, assigned.epoch);
  member->consumer->SetTopics({"one"}, {});
  ASSERT_TRUE(Until([&] { return member->held.size() == 1; }));
  EXPECT_TRUE(member->held.contains(one_));
  EXPECT_EQ(member->losses, 0u);
  EXPECT_EQ(member->consumer->rebuilds(), 0u);
  Send(1, "one");
  EXPECT_TRUE(Until([&] { return member->records.size() == 1; }));
}

TEST_F(ConsumerTest, AMissingTopicThatIsNoLongerAskedForIsNoTroubleAnyMore) {
  const auto member = Join("not-there");
  const auto& troubles = member->consumer->troubles();
  ASSERT_TRUE(Until([&] { return troubles.holds(Trouble::kTopicMissing, "not-there"); }));
  member->consumer->SetTopics({"one"}, {});
  ASSERT_TRUE(Until([&] { return !member->held.empty(); }));
  EXPECT_TRUE(Until([&] { return troubles.all().empty(); }));
}

TEST_F(ConsumerTest, ABrokerThatGoesAndComesIsSeenAndLosesNothing) {
  const auto member = Join("one");
  ASSERT_TRUE(Until([&] { return !member->held.empty(); }));
  rd_kafka_mock_broker_set_down(mock_, 1);
  ASSERT_TRUE(Until([&] { return !member->connection.connected; }));
  EXPECT_FALSE(member->connection.last_error.empty());
  rd_kafka_mock_broker_set_up(mock_, 1);
  Send(3, "one");
  ASSERT_TRUE(Until([&] { return member->records.size() >= 3; }));
  EXPECT_TRUE(member->connection.connected);
}

TEST_F(ConsumerTest, ATopicThatIsRefusedIsSaidUntilItIsNot) {
  ConsumerOptions options = Options("one");
  options.kafka.consumer_properties["topic.metadata.refresh.interval.ms"] = {"300", {}, "test"};
  const auto member = std::make_unique<Member>(loop_, std::move(options));
  // Not before: librdkafka takes no partitions along with an error while it knows of none, which a
  // broker does not send, but the embedded one does.
  ASSERT_TRUE(Until([&] { return !member->held.empty(); }));
  rd_kafka_mock_topic_set_error(mock_, "one", RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  ASSERT_TRUE(Until([&] { return member->consumer->troubles().holds(Trouble::kTopicRefused); }));
  rd_kafka_mock_topic_set_error(mock_, "one", RD_KAFKA_RESP_ERR_NO_ERROR);
  EXPECT_TRUE(Until([&] { return member->consumer->troubles().all().empty(); }));
  EXPECT_TRUE(Close(*member));  // librdkafka can hang when it is destroyed while it joins
}

TEST_F(ConsumerTest, AnExpressionThatNoTopicMatchesIsSaidUntilOneDoes) {
  ConsumerOptions options = Options("^orders[.].*");
  options.kafka.properties["topic.metadata.refresh.interval.ms"] = {"500", {}, "test"};
  const auto member = std::make_unique<Member>(loop_, std::move(options));
  ASSERT_TRUE(Until(
      [&] { return member->consumer->troubles().holds(Trouble::kTopicMissing, "^orders[.].*"); }));
  broker_->CreateTopic("orders.new", 1);
  ASSERT_TRUE(Until([&] { return member->held.contains({"orders.new", 0}); }));
  EXPECT_TRUE(Until([&] { return member->consumer->troubles().all().empty(); }));
}

TEST(ConsumerWithoutABroker, AWrongPropertyIsAnErrorThatNamesItAndDestructionIsQuick) {
  base::Loop loop;
  ConsumerOptions options;
  options.kafka.brokers = {"127.0.0.1:1"};
  options.group = "g";
  options.topics = {"t"};
  const auto start = loop.Now();
  { const Member member(loop, options); }
  EXPECT_LT(loop.Now() - start, std::chrono::seconds(5));
  options.kafka.consumer_properties["no.such.property"] = {"1", {}, "kafka.consumer.properties"};
  const auto consumer = Consumer::Create(loop, std::move(options), {});
  ASSERT_FALSE(consumer);
  EXPECT_NE(consumer.error().message.find("no.such.property"), std::string::npos);
}

}  // namespace
}  // namespace outrigger::kafka
