// What the answers of all requests may hold together, beyond the first 16 KiB of each.
#include <gtest/gtest.h>

#include "http/server.h"
#include "support/http_server.h"

namespace outrigger::http {
namespace {

using namespace test;

constexpr size_t kMegabyte = 1 << 20;
// More than the sockets of both sides take.
constexpr size_t kLarge = 8 * kMegabyte;
constexpr size_t kFree = 16 << 10;

class AnswerBudget : public testing::Test {
 protected:
  AnswerBudget() : running_(MakeHandler(), Small()) {}

  static Limits Small() {
    Limits limits;
    limits.max_answers = 20 * kMegabyte;
    return limits;
  }
  // GET /<size> is answered with so many bytes, reserved before where that is asked for.
  Handler MakeHandler() {
    Handler handler = EchoHandler();
    handler.on_request = [this](const std::shared_ptr<Request>& request) {
      ++requests_;
      Response response;
      const size_t size = std::stoul(request->head().path.substr(1));
      if (request->head().Query("reserve") && !request->ReserveAnswer(size)) {
        response.status = 503;
      } else {
        response.body.assign(size, 'x');
        response.headers.emplace_back("X-Own", "yes");
      }
      request->Answer(std::move(response));
    };
    return handler;
  }
  uint64_t Answers() {
    uint64_t bytes = 0;
    running_.On([&] { bytes = running_.server().answers(); });
    return bytes;
  }
  std::unique_ptr<test::Client> Ask(size_t size, const std::string& query = {}) {
    auto client = std::make_unique<test::Client>(running_.port());
    EXPECT_TRUE(client->Send(Get("/" + std::to_string(size) + query)));
    return client;
  }

  int requests_ = 0;
  Running running_;
};

TEST_F(AnswerBudget, WhatIsNotReadCountsUntilItIsOrTheClientGoes) {
  auto first = Ask(kLarge);
  ASSERT_TRUE(running_.Until([&] { return running_.server().answers() == kLarge - kFree; }));
  auto second = Ask(kLarge);
  ASSERT_TRUE(running_.Until([&] { return running_.server().answers() == 2 * (kLarge - kFree); }));
  EXPECT_EQ(first->Read().body.size(), kLarge);
  ASSERT_TRUE(running_.Until([&] { return running_.server().answers() == kLarge - kFree; }));
  second->Close();
  ASSERT_TRUE(running_.Until([&] { return running_.server().answers() == 0; }));
  running_.On([&] {
    EXPECT_EQ(running_.server().TakePeak(), 2 * (kLarge - kFree));
    EXPECT_EQ(running_.server().TakePeak(), 0U);
  });
}

TEST_F(AnswerBudget, WhereItIsFullNothingLargeIsReservedAndSmallAnswersAreGiven) {
  const auto first = Ask(kLarge, "?reserve"), second = Ask(kLarge, "?reserve");
  ASSERT_TRUE(running_.Until([&] { return running_.server().answers() > kLarge; }));
  EXPECT_EQ(Ask(kLarge, "?reserve")->Read().status, 503);
  EXPECT_EQ(Ask(kFree, "?reserve")->Read().status, 200);
  EXPECT_EQ(Ask(kFree)->Read().body.size(), kFree);
  EXPECT_EQ(Answers(), 2 * (kLarge - kFree));
}

TEST_F(AnswerBudget, AnAnswerThatHasNoRoomKeepsItsCodeAndHeadersAndSaysWhatIsMissing) {
  const auto first = Ask(kLarge), second = Ask(kLarge);
  ASSERT_TRUE(running_.Until([&] { return running_.server().answers() > kLarge; }));
  const auto answer = Ask(kLarge)->Read();
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.Has("X-Own: yes\r\n"));
  EXPECT_NE(answer.body.find(R"("limit":"http.maxAnswers")"), std::string::npos) << answer.body;
}

TEST_F(AnswerBudget, NothingMoreIsReadOfAConnectionWhoseAnswerIsNotRead) {
  test::Client client(running_.port());
  std::string requests;
  for (int i = 0; i < 50; ++i) requests += Get("/" + std::to_string(kLarge));
  ASSERT_TRUE(client.Send(requests));
  ASSERT_TRUE(running_.Until([&] { return running_.server().answers() > 0; }));
  running_.On([&] { EXPECT_EQ(requests_, 1); });
  EXPECT_EQ(client.Read().body.size(), kLarge);
  EXPECT_EQ(client.Read().body.size(), kLarge);
  running_.On([&] { EXPECT_LE(requests_, 3); });
}

TEST_F(AnswerBudget, TheKernelKeepsLittleOfWhatIsNotRead) {
  const auto client = Ask(kMegabyte);
  EXPECT_TRUE(running_.Until([&] { return running_.server().answers() == kMegabyte - kFree; }))
      << "the socket took a megabyte";
  EXPECT_EQ(client->Read().body.size(), kMegabyte);
}

}  // namespace
}  // namespace outrigger::http
