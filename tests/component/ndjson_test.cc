// Streams of lines while nobody takes them: no broker is there, and the clock does not move.
#include "publish/ndjson.h"

#include <gtest/gtest.h>

#include "config/load.h"
#include "kafka/producer.h"
#include "support/fake_request.h"

namespace outrigger::publish {
namespace {

class NdjsonTest : public testing::Test {
 protected:
  NdjsonTest() {
    kafka::ProducerOptions options;
    options.kafka.brokers = {"127.0.0.1:1"};
    producer_ = std::move(*kafka::Producer::Create(loop_, std::move(options)));
    publisher_ = std::make_unique<Publisher>(loop_, producer_->sink(), nullptr, metrics_,
                                             PublisherOptions{.source = "test"});
    auto loaded = config::LoadText("apiVersion: outrigger/v1\nkind: Sidecar\n", "test.yaml",
                                   [](const char*) { return std::nullopt; });
    publisher_->SetRoutes(Routes::Build(loaded.config, loaded.problems));
  }
  ~NdjsonTest() override {
    // What is undecided holds its stream.
    producer_->Close(std::chrono::milliseconds(1), [] {});
    loop_.Advance(clock_, std::chrono::seconds(1));
  }

  struct Stream {
    std::shared_ptr<test::FakeRequest> request = std::make_shared<test::FakeRequest>();
    std::shared_ptr<NdjsonStream> lines;
  };
  Stream Open() {
    Stream stream;
    stream.lines = std::make_shared<NdjsonStream>(loop_, *publisher_, rate_, busy_, 1000,
                                                  stream.request, Ask{});
    return stream;
  }
  // Until it pauses; how many lines were taken.
  static size_t Fill(const Stream& stream) {
    const std::string line = "{\"type\":\"a.b\",\"data\":1}\n";
    size_t taken = 0;
    while (!stream.request->paused && taken < 100'000)
      if (stream.lines->OnChunk(line) == line.size()) ++taken;
    return taken;
  }

  base::ManualClock clock_;
  base::Loop loop_{clock_.clock()};
  telemetry::Metrics metrics_;
  std::unique_ptr<kafka::Producer> producer_;
  std::unique_ptr<Publisher> publisher_;
  Rate rate_;
  size_t busy_ = 0;
};

TEST_F(NdjsonTest, StreamsShareWhatMayBeUndecidedAndAskNoMoreOfTheQueueThanItTakes) {
  const Stream first = Open(), second = Open();
  EXPECT_EQ(Fill(first), 16'384U) << "alone, all of it";
  EXPECT_EQ(Fill(second), 8192U);
  EXPECT_EQ(busy_, 2U);
  EXPECT_EQ(producer_->waiting_records(), 16'384U + 8192U);
}

TEST_F(NdjsonTest, AStreamGoesOnWhenItsLinesAreDecided) {
  const Stream stream = Open();
  Fill(stream);
  loop_.Advance(clock_, std::chrono::seconds(6));  // http.ackTimeout
  EXPECT_FALSE(stream.request->paused);
  EXPECT_EQ(busy_, 0U);
  stream.lines->OnEnd();
  ASSERT_TRUE(stream.request->answer);
  EXPECT_EQ(stream.request->answer->status, 503);
  EXPECT_EQ(stream.request->answer->body.find(R"({"accepted":0,"failed":16384,)"), 0U);
}

}  // namespace
}  // namespace outrigger::publish
