#include "http/outgoing_answer.h"

#include <gtest/gtest.h>

#include "http/answer_text.h"

namespace outrigger::http {
namespace {

constexpr uint64_t kKiB = 1024;
constexpr uint64_t kFree = BufferBudget::kUncounted;
const std::string kDate = "Sun, 06 Nov 1994 08:49:37 GMT";

Response Of(size_t size) {
  Response response;
  response.body = std::string(size, 'x');
  response.headers.emplace_back("X-Own", "yes");
  return response;
}

class SentAnswer : public testing::Test {
 protected:
  SentAnswer() { limits_.max_answers = 10 * kKiB; }
  uint64_t Held() const { return budget_.held(BufferBudget::Use::kAnswers); }

  Limits limits_;
  BufferBudget budget_{limits_};
  OutgoingAnswer answer_{limits_, budget_};
};

TEST(AnswerText, IsAHeadAndTheBody) {
  Response response;
  response.status = 202;
  response.body = "{}";
  response.headers.emplace_back("X-Own", "yes");
  std::string text = "before ";
  AppendAnswer(response, kDate, "close", false, text);
  EXPECT_EQ(text, "before HTTP/1.1 202 Accepted\r\nDate: " + kDate +
                      "\r\nContent-Type: application/json\r\nContent-Length: 2\r\nX-Own: yes"
                      "\r\nConnection: close\r\n\r\n{}");
}

TEST(AnswerText, ToAHeadHasTheLengthAndNoBody) {
  Response response;
  response.body = "{}";
  std::string text;
  AppendAnswer(response, kDate, "", true, text);
  EXPECT_TRUE(text.ends_with("Content-Length: 2\r\n\r\n")) << text;
  EXPECT_EQ(text.find("Connection"), std::string::npos);
}

TEST_F(SentAnswer, GoesOutInPieces) {
  answer_.Make(Of(3), kDate, "", false);
  const std::string all(answer_.unsent());
  EXPECT_TRUE(all.ends_with("\r\n\r\nxxx")) << all;
  answer_.Sent(10);
  EXPECT_EQ(answer_.unsent(), all.substr(10));
  answer_.Sent(all.size() - 10);
  EXPECT_TRUE(answer_.unsent().empty());
  answer_.Clear();
  answer_.Make(Of(3), kDate, "", false);
  EXPECT_EQ(answer_.unsent(), all);
}

TEST_F(SentAnswer, CountsFromItsReservationUntilItIsSent) {
  EXPECT_TRUE(answer_.Reserve(kFree + 5 * kKiB));
  EXPECT_EQ(Held(), 5 * kKiB);
  answer_.Make(Of(kFree + 4 * kKiB), kDate, "", false);
  EXPECT_EQ(Held(), 4 * kKiB);
  answer_.Clear();
  EXPECT_EQ(Held(), 0U);
}

TEST_F(SentAnswer, KeepsItsCodeAndHeadersWhereItHasNoRoom) {
  Response response = Of(kFree + 10 * kKiB + 1);
  response.status = 409;
  answer_.Make(std::move(response), kDate, "", false);
  const std::string text(answer_.unsent());
  EXPECT_TRUE(text.starts_with("HTTP/1.1 409 Conflict\r\n")) << text;
  EXPECT_NE(text.find("\r\nX-Own: yes\r\n"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("limit":"http.maxAnswers")"), std::string::npos) << text;
  EXPECT_EQ(Held(), 0U);
}

TEST_F(SentAnswer, ToAHeadNeedsNoRoom) {
  answer_.Make(Of(kFree + 10 * kKiB + 1), kDate, "", true);
  EXPECT_TRUE(answer_.unsent().starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(Held(), 0U);
}

}  // namespace
}  // namespace outrigger::http
