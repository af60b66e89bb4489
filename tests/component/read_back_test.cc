// A crash after Kafka had what the spool's file still has: what is read back is not sent again.
#include <gmock/gmock.h>

#include "support/spool_fixture.h"

namespace outrigger::publish {
namespace {

using testing::ElementsAre;

class ReadBackTest : public SpoolFixture {
 protected:
  // The embedded broker has no offsets of times: all of a topic is read.
  kafka::ReadTail ReadAll() {
    config::Kafka kafka;
    kafka.brokers = {broker_->bootstrap()};
    reader_ = std::make_unique<kafka::TailReader>(loop_, kafka);
    return [this](kafka::TailQuestion question, kafka::OnTail on_tail) {
      question.since_ms = 0;
      reader_->Read(std::move(question), std::move(on_tail));
    };
  }
  void Restart(kafka::ReadTail read_tail) {
    Kill();
    Start(1 << 30, std::move(read_tail));
  }
  // Events of the spool that came to Kafka, and a file that does not know it.
  void SpoolAndSend(int events) {
    BrokerDown();
    for (int i = 0; i < events; ++i)
      Await(Publish("a.x", "k" + std::to_string(i % 3), std::to_string(i), std::to_string(i)));
    Kill();
    const std::string copy = folder_ + ".copy";
    std::filesystem::copy(folder_, copy);
    Start();
    BrokerUp();
    EXPECT_TRUE(AwaitDrained());
    Kill();
    std::filesystem::remove_all(folder_);
    std::filesystem::rename(copy, folder_);
  }
  void ExpectOnceInOrder(int events) {
    auto values = Values("first");
    for (int i = 0; i < events; ++i) {
      auto& of_key = values["k" + std::to_string(i % 3)];
      ASSERT_FALSE(of_key.empty());
      EXPECT_EQ(of_key.front(), std::to_string(i));
      of_key.erase(of_key.begin());
    }
    for (const auto& [key, rest] : values) EXPECT_THAT(rest, ElementsAre()) << key;
  }

  std::unique_ptr<kafka::TailReader> reader_;
};

TEST_F(ReadBackTest, WhatKafkaHasIsNotSentAgain) {
  SpoolAndSend(30);
  Start(1 << 30, ReadAll());
  EXPECT_EQ(spool_->records(), 30u);
  EXPECT_TRUE(AwaitDrained());
  ExpectOnceInOrder(30);
  EXPECT_EQ(spool_metrics_[telemetry::SpoolOutcome::kAlreadyInKafka].value(), 30);
}

TEST_F(ReadBackTest, WhatKafkaHasIsKnownAsAcknowledgedWithItsPlace) {
  SpoolAndSend(3);
  Start(1 << 30, ReadAll());
  EXPECT_TRUE(AwaitDrained());
  std::optional<Outcome> found;
  publisher_->Find("2", [&](const Outcome& outcome) { found = outcome; });
  ASSERT_TRUE(test::RunUntil(loop_, [&] { return found.has_value(); }));
  ASSERT_EQ(found->targets.size(), 1u);
  EXPECT_EQ(found->targets[0].status, Target::Status::kAcked);
  for (const auto& record : test::ReadTopic(broker_->bootstrap(), "first", 4))
    if (record.key == "k2") {
      EXPECT_EQ(found->targets[0].partition, record.partition);
      EXPECT_EQ(found->targets[0].offset, record.offset);
    }
  // A retry of it gets that answer.
  EXPECT_EQ(Await(Publish("a.x", "k2", "2", "2")).targets.at(0).status, Target::Status::kAcked);
  ExpectOnceInOrder(3);
}

TEST_F(ReadBackTest, WhatIsNewGoesOnBehindIt) {
  SpoolAndSend(9);
  Start(1 << 30, ReadAll());
  for (int i = 9; i < 18; ++i)
    Publish("a.x", "k" + std::to_string(i % 3), std::to_string(i), std::to_string(i));
  EXPECT_TRUE(AwaitDrained());
  Await(Publish("a.x", "k0", "18"));
  ExpectOnceInOrder(19);
}

TEST_F(ReadBackTest, WhatCannotBeReadBackIsSentAgain) {
  SpoolAndSend(6);
  Start(1 << 30, [](const kafka::TailQuestion& question, const kafka::OnTail& on_tail) {
    EXPECT_THAT(question.topics, ElementsAre("first"));
    EXPECT_GT(question.since_ms, 0);
    kafka::Tail tail;
    tail.denied = "first";
    tail.error = "first: Topic authorization failed";
    on_tail(std::move(tail));
  });
  EXPECT_TRUE(AwaitDrained());
  EXPECT_THAT(Values("first")["k0"], ElementsAre("0", "3", "0", "3"));
}

TEST_F(ReadBackTest, NothingDrainsBeforeItIsOverAndOtherEventsDoNotWait) {
  SpoolAndSend(3);
  kafka::OnTail answer;
  Start(1 << 30, [&](const kafka::TailQuestion&, kafka::OnTail on_tail) { answer = on_tail; });
  ASSERT_TRUE(test::RunUntil(loop_, [&] { return answer != nullptr; }));
  EXPECT_EQ(Await(Publish("b.x", "k", "1")).targets.at(0).topic, "second");
  EXPECT_EQ(spool_->records(), 3u);
  answer({});
  EXPECT_TRUE(AwaitDrained());
}

TEST_F(ReadBackTest, AnEmptySpoolAsksNothing) {
  Restart([](const kafka::TailQuestion&, const kafka::OnTail&) { ADD_FAILURE(); });
  Await(Publish("a.x", "k", "1"));
  EXPECT_TRUE(AwaitDrained());
}

}  // namespace
}  // namespace outrigger::publish
