// What the bodies of all requests may hold together, beyond the first 16 KiB of each.
#include <gtest/gtest.h>

#include "http/server.h"
#include "support/http_server.h"

namespace outrigger::http {
namespace {

using namespace test;

constexpr size_t kKiB = 1024;

Limits Small() {
  Limits limits;
  limits.max_body = 1 << 20;
  limits.max_bodies = 100 * kKiB;
  return limits;
}

std::string HeadOf(size_t length) {
  return "POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
}

void ExpectRefused(const Client::Answer& answer, const std::string& outcome = "none") {
  EXPECT_EQ(answer.status, 503);
  EXPECT_TRUE(answer.Has("Retry-After: 1\r\n")) << answer.head;
  EXPECT_NE(answer.body.find(R"("limit":"http.maxBodies")"), std::string::npos) << answer.body;
  EXPECT_NE(answer.body.find("\"outcome\":\"" + outcome + "\""), std::string::npos) << answer.body;
}

class BodyBudget : public testing::Test {
 protected:
  explicit BodyBudget(Handler handler = EchoHandler()) : running_(std::move(handler), Small()) {}

  // Sends `length` bytes of a body of one more, and waits until the server has them.
  std::unique_ptr<Client> Fill(size_t length) {
    auto client = std::make_unique<Client>(running_.port());
    const uint64_t before = Buffered();
    EXPECT_TRUE(client->Send(HeadOf(length + 1) + std::string(length, 'x')));
    EXPECT_TRUE(running_.Until([&] {
      return running_.server().buffered() == before + length - std::min(length, 16 * kKiB);
    }));
    return client;
  }
  uint64_t Buffered() {
    uint64_t bytes = 0;
    running_.On([&] { bytes = running_.server().buffered(); });
    return bytes;
  }

  Running running_;
};

TEST_F(BodyBudget, ABodyThatWouldPassItIsRefusedByItsHeadAndASmallOneIsServed) {
  const auto large = Fill(99 * kKiB);
  Client other(running_.port());
  ASSERT_TRUE(other.Send(HeadOf(40 * kKiB)));
  ExpectRefused(other.Read());
  Client small(running_.port());
  ASSERT_TRUE(small.Send(Post("/s", std::string(16 * kKiB, 'y'))));
  EXPECT_EQ(small.Read().status, 200);

  ASSERT_TRUE(large->Send("x"));
  EXPECT_EQ(large->Read().status, 200);
  ASSERT_TRUE(small.Send(Post("/s", std::string(99 * kKiB, 'y'))));
  EXPECT_EQ(small.Read().status, 200);
  EXPECT_EQ(Buffered(), 0U);
}

TEST_F(BodyBudget, ABodyOfUnknownLengthIsRefusedWhereItPassesIt) {
  const auto large = Fill(99 * kKiB);
  Client chunked(running_.port());
  ASSERT_TRUE(chunked.Send(kChunkedHead + "20000\r\n" + std::string(40 * kKiB, 'x')));
  ExpectRefused(chunked.Read());
}

TEST_F(BodyBudget, IsFreeAgainWhenASenderGoes) {
  Fill(99 * kKiB)->Close();
  EXPECT_TRUE(running_.Until([&] { return running_.server().buffered() == 0; }));
}

TEST_F(BodyBudget, ABodyLargerThanItIs413) {
  Client client(running_.port());
  ASSERT_TRUE(client.Send(HeadOf(200 * kKiB)));
  const auto answer = client.Read();
  EXPECT_EQ(answer.status, 413);
  EXPECT_NE(answer.body.find(R"("limit":"http.maxBodies")"), std::string::npos) << answer.body;
}

class HeldBodies : public BodyBudget {
 protected:
  HeldBodies()
      : BodyBudget({.on_head = [](const auto&) { return Plan(); },
                    .on_request =
                        [this](const auto& request) {
                          if (request->head().path == "/drop") request->DropBody();
                          held_ = request;
                        },
                    .on_answered = {}}) {}

  std::shared_ptr<Request> held_;
};

TEST_F(HeldBodies, CountUntilTheAnswerOrUntilTheHandlerLetsThemGo) {
  Client client(running_.port());
  for (const auto& [path, counted] : {std::pair{"/keep", 34 * kKiB}, {"/drop", size_t{0}}}) {
    ASSERT_TRUE(client.Send(Post(path, std::string(50 * kKiB, 'x'))));
    ASSERT_TRUE(running_.Until([&] { return held_ != nullptr; }));
    EXPECT_EQ(Buffered(), counted) << path;
    running_.On([&] { std::exchange(held_, nullptr)->Answer({}); });
    EXPECT_EQ(client.Read().status, 200);
    EXPECT_EQ(Buffered(), 0U);
  }
}

class StreamedBodies : public BodyBudget {
 protected:
  // Keeps what comes, as a line that goes on is kept.
  StreamedBodies()
      : BodyBudget({.on_head =
                        [this](const auto& request) {
                          Plan plan;
                          plan.on_chunk = [request = request.get()](std::string_view chunk) {
                            request->held += chunk.size();
                            return chunk.size();
                          };
                          plan.on_abort = [this] { aborted_ = true; };
                          return plan;
                        },
                    .on_request = [](const auto& request) { request->Answer({}); },
                    .on_answered = {}}) {}

  bool aborted_ = false;
};

TEST_F(StreamedBodies, CountWithWhatTheHandlerKeepsOfThem) {
  Client client(running_.port());
  ASSERT_TRUE(client.Send(HeadOf(200 * kKiB) + std::string(150 * kKiB, 'x')));
  ExpectRefused(client.Read(), "unknown");
  bool aborted = false;
  running_.On([&] { aborted = aborted_; });
  EXPECT_TRUE(aborted);
  EXPECT_EQ(Buffered(), 0U);
}

TEST(LimitNames, HaveThePrefixUnlessTheyAreWhole) {
  const Limits limits;
  EXPECT_EQ(limits.FieldOf(limits.bodies_limit), "http.maxBodies");
  EXPECT_EQ(limits.FieldOf(limits.answers_limit), "http.maxAnswers");
  EXPECT_EQ(limits.FieldOf("memory.budget"), "memory.budget");
}

TEST(BodyBudgetOfTheProcess, IsNamedWhereItIsTheSmallerBound) {
  Limits limits = Small();
  limits.bodies_limit = "memory.budget";
  Running running(EchoHandler(), limits);
  Client client(running.port());
  ASSERT_TRUE(client.Send(HeadOf(200 * kKiB)));
  const auto answer = client.Read();
  EXPECT_EQ(answer.status, 413);
  EXPECT_NE(answer.body.find(R"("limit":"memory.budget")"), std::string::npos) << answer.body;
}

}  // namespace
}  // namespace outrigger::http
