// A stream of lines without a Kafka: every event is discarded, and so decided at once.
#include "publish/ndjson.h"

#include <gtest/gtest.h>

#include "config/load.h"
#include "support/fake_request.h"

namespace outrigger::publish {
namespace {

constexpr char kLine[] = "{\"type\":\"a.b\",\"data\":1}\n";

class NdjsonTest : public testing::Test {
 protected:
  NdjsonTest() {
    auto loaded = config::LoadText("apiVersion: outrigger/v1\nkind: Sidecar\n", "test.yaml",
                                   [](const char*) { return std::nullopt; });
    publisher_.SetRoutes(Routes::Build(loaded.config, loaded.problems));
    stream_ =
        std::make_shared<NdjsonStream>(loop_, publisher_, rate_, busy_, 1000, request_, Ask{});
  }

  // As the connection does: what is not taken comes again when reading goes on.
  void Send(const std::string& text) {
    left_ += text;
    Read();
  }
  void Read() {
    while (!left_.empty() && !request_->paused) left_.erase(0, stream_->OnChunk(left_));
  }
  void Advance(std::chrono::milliseconds by) {
    loop_.Advance(clock_, by);
    Read();
  }
  double Discarded() {
    return metrics_.Producer("{type.first}.events")[telemetry::ProducerOutcome::kDiscarded].value();
  }

  base::ManualClock clock_;
  base::Loop loop_{clock_.clock()};
  telemetry::Metrics metrics_;
  Publisher publisher_{loop_, kafka::RecordSink(), nullptr, metrics_, {.source = "test"}};
  Rate rate_;
  size_t busy_ = 0;
  std::shared_ptr<test::FakeRequest> request_ = std::make_shared<test::FakeRequest>();
  std::shared_ptr<NdjsonStream> stream_;
  std::string left_;
};

TEST_F(NdjsonTest, TheRateIsKeptLineByLine) {
  rate_.Set(config::Rate{10, 2}, loop_.Now());
  std::string lines;
  for (int n = 0; n < 5; ++n) lines += kLine;
  Send(lines);
  EXPECT_EQ(Discarded(), 2) << "the burst";
  EXPECT_TRUE(request_->paused);
  for (int n = 3; n <= 5; ++n) {
    Advance(std::chrono::milliseconds(99));
    EXPECT_EQ(Discarded(), n - 1);
    Advance(std::chrono::milliseconds(1));
    EXPECT_EQ(Discarded(), n);
  }
  EXPECT_TRUE(left_.empty());
  stream_->OnEnd();
  ASSERT_TRUE(request_->answer);
  EXPECT_EQ(request_->answer->body, R"({"accepted":5,"failed":0,"failures":[],"line":5})");
}

TEST_F(NdjsonTest, ALastLineWithoutAnEndKeepsTheRateToo) {
  rate_.Set(config::Rate{10, 1}, loop_.Now());
  Send(kLine + std::string(R"({"type":"a.b")"));
  Advance(std::chrono::milliseconds(100));
  Send(",\"data\":1}");
  // Another stream had the token.
  EXPECT_TRUE(rate_.Take(1, loop_.Now()));
  EXPECT_TRUE(left_.empty());
  stream_->OnEnd();
  EXPECT_EQ(Discarded(), 1);
  EXPECT_FALSE(request_->answer);
  Advance(std::chrono::milliseconds(100));
  EXPECT_EQ(Discarded(), 2);
  ASSERT_TRUE(request_->answer);
  EXPECT_EQ(request_->answer->body, R"({"accepted":2,"failed":0,"failures":[],"line":2})");
}

TEST_F(NdjsonTest, ALineInPiecesIsOneAndABadOneStopsNothing) {
  const std::string lines = std::string(kLine) + "no\n\n" + kLine + std::string(1001, 'x') + "\n";
  for (const char byte : lines) Send(std::string(1, byte));
  stream_->OnEnd();
  ASSERT_TRUE(request_->answer);
  EXPECT_EQ(request_->answer->status, 413);
  EXPECT_EQ(request_->answer->body.find(R"({"accepted":2,"failed":2,"failures":[{"line":2,)"), 0U)
      << request_->answer->body;
  EXPECT_EQ(busy_, 0U);
}

// A line of `size` bytes.
std::string LineOf(size_t size) {
  const std::string begin = R"({"type":"a.b","data":")", end = "\"}";
  return begin + std::string(size - begin.size() - end.size(), 'x') + end;
}

TEST_F(NdjsonTest, ALineMayHaveMaxBodyBytesBesideItsEnd) {
  for (const char* end : {"\n", "\r\n"}) {
    Send(LineOf(1000) + end);
    for (const char byte : LineOf(1000) + end) Send(std::string(1, byte));
    Send(LineOf(1000));
    Send(end);
  }
  EXPECT_EQ(Discarded(), 6);
  Send(LineOf(1001) + "\n" + LineOf(1001) + "\r\n" + LineOf(1000) + "\r\r\n");
  Send(LineOf(1000) + "\r");
  Send("x\n");
  Send(LineOf(1000) + "\r");  // the last line has no end
  stream_->OnEnd();
  ASSERT_TRUE(request_->answer);
  EXPECT_EQ(request_->answer->status, 413);
  EXPECT_EQ(request_->answer->body.find(R"({"accepted":7,"failed":4,"failures":[{"line":7,)"), 0U)
      << request_->answer->body;
  EXPECT_EQ(metrics_.Producer("none")[telemetry::ProducerReason::kTooLarge].value(), 4);
}

TEST_F(NdjsonTest, TheAnswersCodeIsThatOfTheWorstLineAndItsCountsSayWhatWasTaken) {
  Send(kLine + std::string(kLine) + "hello\r\n\r\n  \n" + kLine);
  stream_->OnEnd();
  ASSERT_TRUE(request_->answer);
  EXPECT_EQ(request_->answer->status, 400);
  EXPECT_EQ(request_->answer->body.find(R"({"accepted":3,"failed":1,"failures":[{"line":3,)"), 0U)
      << request_->answer->body;
  EXPECT_NE(request_->answer->body.find("a value is missing at byte 0"), std::string::npos);
  EXPECT_NE(request_->answer->body.find(R"(],"line":6})"), std::string::npos);
}

TEST_F(NdjsonTest, TheAnswerIsBoundedWhateverTheLinesSay) {
  for (int i = 0; i < 3000; ++i) {
    Send(R"({"id":")" + std::string(700, 'i') + R"(","type":")" + std::string(200, 't') +
         "\",\"key\":[]}\n");
    EXPECT_LE(request_->reserved, 256U << 10);
  }
  stream_->OnEnd();
  ASSERT_TRUE(request_->answer);
  const std::string& body = request_->answer->body;
  EXPECT_LE(body.size(), 257U << 10);
  EXPECT_GT(body.size(), 100U << 10);
  EXPECT_NE(body.find(R"("failed":3000,"failures":[{"line":1,)"), std::string::npos);
}

TEST_F(NdjsonTest, ADetailShowsAtMost200CharactersOfTheCallersText) {
  const std::string q(900, 'Q');
  for (const std::string& line :
       {"{\"type\":\"" + q + "\",\"data\":1}", "{\"type\":\"a.b\",\"" + q + "\":1}",
        "{\"type\":\"a.b\",\"time\":\"" + q + "\",\"data\":1}",
        "{\"type\":\"a.b\",\"headers\":{\"ce_" + q + "\":\"1\"},\"data\":1}",
        "{\"type\":\"a.b\",\"headers\":{\"" + q + "\":[]},\"data\":1}",
        "{\"type\":\"a.b\",\"headers\":{\"" + q + "\":1,\"" + q + "\":2},\"data\":1}",
        "{\"" + q + "\":1,\"" + q + "\":2}", "{\"type\":\"a.b\",\"data\":" + q + "}"}) {
    const auto request = std::make_shared<test::FakeRequest>();
    const auto stream =
        std::make_shared<NdjsonStream>(loop_, publisher_, rate_, busy_, 10'000, request, Ask{});
    stream->OnChunk(line + "\n");
    stream->OnEnd();
    ASSERT_TRUE(request->answer) << line;
    const std::string& body = request->answer->body;
    EXPECT_NE(body.find("\"failed\":1"), std::string::npos) << body;
    EXPECT_LE(std::count(body.begin(), body.end(), 'Q'), 200) << body;
  }
}

TEST_F(NdjsonTest, WhereAnswersHaveNoRoomFailuresAreCountedAndNotListed) {
  request_->room = 1000;
  for (int i = 0; i < 100; ++i) Send("no\n");
  stream_->OnEnd();
  ASSERT_TRUE(request_->answer);
  EXPECT_LE(request_->answer->body.size(), 1000U);
  EXPECT_NE(request_->answer->body.find(R"("failed":100,"failures":[{"line":1,)"),
            std::string::npos);
}

}  // namespace
}  // namespace outrigger::publish
