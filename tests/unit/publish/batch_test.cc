// A batch without a Kafka: every event is discarded, and so decided at once.
#include "publish/batch.h"

#include <gtest/gtest.h>

#include "config/load.h"
#include "event/cloudevents.h"
#include "support/fake_request.h"

namespace outrigger::publish {
namespace {

constexpr char kGood[] = R"({"specversion":"1.0","id":"1","source":"s","type":"a.b","data":1})";

class BatchTest : public testing::Test {
 protected:
  BatchTest() {
    auto loaded = config::LoadText("apiVersion: outrigger/v1\nkind: Sidecar\n", "test.yaml",
                                   [](const char*) { return std::nullopt; });
    publisher_.SetRoutes(Routes::Build(loaded.config, loaded.problems));
  }

  void Start(size_t count, const std::string& item) {
    std::string& body = request_->body() = "[";
    for (size_t i = 0; i < count; ++i) body.append(i > 0 ? "," : "").append(item);
    body += "]";
    auto items = event::SplitBatch(publisher_.json(), body);
    ASSERT_TRUE(items);
    std::make_shared<Batch>(loop_, publisher_, request_, std::move(*items), Ask{})->Start();
  }
  double Discarded() {
    return metrics_.Producer("{type.first}.events")[telemetry::ProducerOutcome::kDiscarded].value();
  }
  size_t Results() {
    size_t count = 0;
    const std::string& body = request_->answer->body;
    for (size_t at = 0; (at = body.find("\"status\":\"", at)) != std::string::npos; ++at) ++count;
    return count;
  }

  // Each look at the clock takes a millisecond.
  base::TimePoint now_{std::chrono::hours(1)};
  base::Loop loop_{{[this] { return now_ += std::chrono::milliseconds(1); },
                    [] { return base::WallTime(); }, true}};
  telemetry::Metrics metrics_;
  Publisher publisher_{loop_, kafka::RecordSink(), nullptr, metrics_, {.source = "test"}};
  std::shared_ptr<test::FakeRequest> request_ = std::make_shared<test::FakeRequest>();
};

TEST_F(BatchTest, AnswersEveryItemInOrder) {
  Start(3, kGood);
  loop_.RunReady();
  ASSERT_TRUE(request_->answer);
  const std::string one = R"({"id":"1","status":"discarded"})";
  EXPECT_EQ(request_->answer->body, R"({"results":[)" + one + "," + one + "," + one + "]}");
  EXPECT_EQ(request_->answer->status, 202);
  EXPECT_TRUE(request_->body().empty());
}

TEST_F(BatchTest, OfNothingIsEmpty) {
  Start(0, "");
  ASSERT_TRUE(request_->answer);
  EXPECT_EQ(request_->answer->body, R"({"results":[]})");
  EXPECT_EQ(request_->answer->status, 200);
}

TEST_F(BatchTest, IsWorkedOnInSlices) {
  // Of another id each, or they would be one event.
  Start(1000, R"({"specversion":"1.0","source":"s","type":"a.b","data":1})");
  EXPECT_FALSE(request_->answer);
  EXPECT_LE(Discarded(), 5) << "the loop is free again after 4 ms";
  EXPECT_GE(Discarded(), 1);
  loop_.RunReady();
  ASSERT_TRUE(request_->answer);
  EXPECT_EQ(Results(), 1000U);
}

TEST_F(BatchTest, WithoutRoomForItsAnswerNothingIsPublished) {
  request_->room = 10'000;
  Start(1000, kGood);
  loop_.RunReady();
  ASSERT_TRUE(request_->answer);
  EXPECT_EQ(request_->answer->status, 503);
  EXPECT_NE(request_->answer->body.find(R"("outcome":"none","limit":"http.maxAnswers")"),
            std::string::npos)
      << request_->answer->body;
  EXPECT_EQ(Discarded(), 0);
}

TEST_F(BatchTest, WhatIsTooMuchForTheAnswerIsLeftOutOfResultsButTheirStatus) {
  // Each would be a kilobyte and more.
  const std::string item = "{\"specversion\":\"1.0\",\"id\":\"" + std::string(250, '\\') +
                           "\",\"source\":\"s\",\"type\":\"" + std::string(250, 't') + "\"}";
  Start(16'384, item);
  loop_.RunReady();
  ASSERT_TRUE(request_->answer);
  EXPECT_EQ(Results(), 16'384U);
  EXPECT_LE(request_->answer->body.size(), Batch::kMaxAnswer);
  EXPECT_LE(request_->reserved, Batch::kMaxAnswer);
  EXPECT_TRUE(request_->answer->body.ends_with("]}"));
}

TEST_F(BatchTest, WhereAnswersAreFullAResultIsBrief) {
  const size_t count = 100;
  request_->room = count * 256;
  Start(count, "{\"id\":\"" + std::string(250, 'i') + "\"}");
  loop_.RunReady();
  ASSERT_TRUE(request_->answer);
  EXPECT_EQ(Results(), count * 1U);
  EXPECT_LE(request_->answer->body.size(), request_->room);
  EXPECT_EQ(request_->answer->status, 400);
}

}  // namespace
}  // namespace outrigger::publish
