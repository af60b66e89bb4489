#include "http/incoming_body.h"

#include <gtest/gtest.h>

#include "support/fake_request.h"

namespace outrigger::http {
namespace {

constexpr uint64_t kKiB = 1024;
constexpr uint64_t kFree = BufferBudget::kUncounted;

class WholeBody : public testing::Test {
 protected:
  WholeBody() {
    limits_.max_body = 50 * kKiB;
    limits_.max_bodies = 100 * kKiB;
  }

  // A request whose head has been read, with that line about its body.
  std::optional<Refusal> Begin(const std::string& line, Plan plan = {}) {
    head_ = "POST / HTTP/1.1\r\nHost: a\r\n" + line + "\r\n\r\n";
    request_.mutable_head() = {};
    request_.DropBody();
    parser_.emplace(request_.mutable_head(), limits_.max_trailer);
    EXPECT_FALSE(parser_->ReadHead(head_));
    return body_.Begin(std::move(plan), request_);
  }
  std::optional<Refusal> BeginChunked(Plan plan = {}) {
    return Begin("Transfer-Encoding: chunked", std::move(plan));
  }
  std::optional<Refusal> BeginOfLength(uint64_t length, Plan plan = {}) {
    return Begin("Content-Length: " + std::to_string(length), std::move(plan));
  }
  size_t Read(const std::string& bytes) {
    refusal_.reset();
    return body_.Read(bytes, *parser_, request_, refusal_);
  }
  uint64_t Held() const { return budget_.held(BufferBudget::Use::kBodies); }
  void ExpectRefused(const std::optional<Refusal>& refusal, int status, const std::string& limit) {
    ASSERT_TRUE(refusal);
    EXPECT_EQ(refusal->status, status);
    EXPECT_EQ(refusal->limit, limit);
  }

  Limits limits_;
  BufferBudget budget_{limits_};
  IncomingBody body_{limits_, budget_};
  outrigger::test::FakeRequest request_;
  std::string head_;
  std::optional<MessageParser> parser_;
  std::optional<Refusal> refusal_;
};

TEST_F(WholeBody, IsKeptInTheRequestAndCounted) {
  ASSERT_FALSE(BeginOfLength(30 * kKiB));
  EXPECT_TRUE(body_.reading());
  EXPECT_EQ(Read(std::string(20 * kKiB, 'a')), 20 * kKiB);
  EXPECT_EQ(Held(), 20 * kKiB - kFree);
  EXPECT_EQ(Read(std::string(10 * kKiB, 'b') + "GET"), 10 * kKiB);
  EXPECT_FALSE(refusal_);
  EXPECT_TRUE(parser_->body_done());
  EXPECT_EQ(request_.body().size(), 30 * kKiB);
  body_.Clear();
  EXPECT_EQ(Held(), 30 * kKiB - kFree) << "the handler has it";
  body_.Hold(0);
  EXPECT_EQ(Held(), 0U);
}

TEST_F(WholeBody, HasItsMemoryBeforeItComesWhereItsLengthIsKnown) {
  ASSERT_FALSE(BeginOfLength(30 * kKiB));
  EXPECT_GE(request_.body().capacity(), 30 * kKiB);
  EXPECT_EQ(Held(), 0U) << "bytes count when they have come";
}

TEST_F(WholeBody, IsRefusedByItsHeadWhereItIsLargerThanItsPlanOrTheLimitAllow) {
  Plan plan;
  plan.max_body = 10;
  ExpectRefused(BeginOfLength(11, plan), 413, "maxBody");
  EXPECT_FALSE(BeginOfLength(10, plan));
  ExpectRefused(BeginOfLength(50 * kKiB + 1), 413, "maxBody");
  plan.max_body = 200 * kKiB;
  ExpectRefused(BeginOfLength(100 * kKiB + 1, plan), 413, "maxBodies");
}

TEST_F(WholeBody, IsRefusedByItsHeadWhereTheOthersLeaveNoRoom) {
  BufferShare other(budget_, BufferBudget::Use::kBodies);
  ASSERT_TRUE(other.Hold(kFree + 80 * kKiB));
  ExpectRefused(BeginOfLength(kFree + 20 * kKiB + 1), 503, "maxBodies");
  EXPECT_FALSE(BeginOfLength(kFree + 20 * kKiB));
}

TEST_F(WholeBody, OfUnknownLengthIsRefusedWhereAChunkAnnouncesTooMuch) {
  ASSERT_FALSE(BeginChunked());
  Read("c800\r\n");  // 50 KiB
  EXPECT_FALSE(refusal_);
  ASSERT_FALSE(BeginChunked());
  Read("c801\r\n");
  ExpectRefused(refusal_, 413, "maxBody");
}

TEST_F(WholeBody, OfUnknownLengthIsRefusedWhereTheOthersLeaveNoRoom) {
  BufferShare other(budget_, BufferBudget::Use::kBodies);
  ASSERT_TRUE(other.Hold(kFree + 80 * kKiB));
  ASSERT_FALSE(BeginChunked());
  Read("a000\r\n" + std::string(20 * kKiB, 'x'));
  EXPECT_FALSE(refusal_);
  Read(std::string(20 * kKiB, 'x'));
  ExpectRefused(refusal_, 503, "maxBodies");
  EXPECT_EQ(Held(), 80 * kKiB + 20 * kKiB - kFree);
  body_.Release();
  EXPECT_EQ(Held(), 80 * kKiB);
}

TEST_F(WholeBody, IsRefusedWhereItsFramingIsBroken) {
  ASSERT_FALSE(BeginChunked());
  Read("no size\r\n");
  ExpectRefused(refusal_, 400, "");
}

class IncomingStream : public WholeBody {
 protected:
  Plan Streaming() {
    Plan plan;
    plan.on_chunk = [this](std::string_view chunk) {
      got_ += chunk;
      return on_chunk_(chunk);
    };
    plan.on_abort = [this] { ++aborted_; };
    return plan;
  }

  std::string got_;
  std::function<size_t(std::string_view)> on_chunk_ = [](std::string_view chunk) {
    return chunk.size();
  };
  int aborted_ = 0;
};

TEST_F(IncomingStream, GoesToThePlanAndHasNoLimitOfItsOwn) {
  ASSERT_FALSE(BeginOfLength(1000 * kKiB, Streaming()));
  EXPECT_TRUE(body_.streamed());
  EXPECT_EQ(Read(std::string(1000 * kKiB, 'x')), 1000 * kKiB);
  EXPECT_FALSE(refusal_);
  EXPECT_EQ(got_.size(), 1000 * kKiB);
  EXPECT_TRUE(request_.body().empty());
  EXPECT_EQ(Held(), 0U);
  body_.Clear();
  EXPECT_FALSE(body_.streamed());
  EXPECT_EQ(aborted_, 0);
}

TEST_F(IncomingStream, CountsWithWhatTheHandlerKeepsOfIt) {
  on_chunk_ = [this](std::string_view chunk) {
    request_.held += chunk.size();
    return chunk.size();
  };
  ASSERT_FALSE(BeginOfLength(1000 * kKiB, Streaming()));
  Read(std::string(kFree + 100 * kKiB, 'x'));
  EXPECT_FALSE(refusal_);
  EXPECT_EQ(Held(), 100 * kKiB);
  Read("x");
  ExpectRefused(refusal_, 503, "maxBodies");
}

TEST_F(IncomingStream, WaitsFromThePauseToTheResumption) {
  on_chunk_ = [this](std::string_view) {
    EXPECT_TRUE(body_.SetPaused(true));
    EXPECT_FALSE(body_.SetPaused(true));
    return 2;
  };
  ASSERT_FALSE(BeginOfLength(5, Streaming()));
  EXPECT_EQ(Read("abcde"), 2U);
  EXPECT_FALSE(body_.reading());
  EXPECT_TRUE(body_.SetPaused(false));
  EXPECT_FALSE(body_.SetPaused(false));
  on_chunk_ = [](std::string_view chunk) { return chunk.size(); };
  EXPECT_EQ(Read("cde"), 3U);
  EXPECT_TRUE(body_.reading() && parser_->body_done());
}

TEST_F(IncomingStream, TakesNothingMoreOnceItsRequestIsAnsweredFromInside) {
  on_chunk_ = [this](std::string_view chunk) {
    body_.Stop();
    return chunk.size();
  };
  ASSERT_FALSE(BeginChunked(Streaming()));
  Read("1\r\na\r\n1\r\nb\r\n0\r\n\r\n");
  EXPECT_EQ(got_, "a");
  EXPECT_FALSE(refusal_);
  EXPECT_FALSE(body_.reading());
  EXPECT_FALSE(body_.SetPaused(true));
  body_.Abort();
  EXPECT_EQ(aborted_, 0);
}

TEST_F(IncomingStream, TellsItsHandlerOnceThatItWillNotBeComplete) {
  ASSERT_FALSE(BeginChunked(Streaming()));
  body_.Abort();
  body_.Abort();
  EXPECT_EQ(aborted_, 1);
  EXPECT_FALSE(body_.reading());
}

}  // namespace
}  // namespace outrigger::http
