#include "deliver/verdict.h"

#include <gtest/gtest.h>

namespace outrigger::deliver {
namespace {

using Action = Verdict::Action;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

// 2026-11-23T20:00:00Z
const base::WallTime kNow = std::chrono::system_clock::from_time_t(1795464000);

Verdict Read(int status, const std::string& body = {}, const std::string& retry_after = {},
             bool cut_short = false) {
  event::JsonReader json;
  return ReadVerdict(json, {status, {{"retry-after", retry_after}}, body, cut_short}, kNow);
}

Verdict ReadTyped(const std::string& type, const std::string& body,
                  const std::string& encoding = {}, bool cut_short = false) {
  event::JsonReader json;
  return ReadVerdict(
      json, {200, {{"content-type", type}, {"content-encoding", encoding}}, body, cut_short}, kNow);
}

TEST(Verdict, A2xxWithoutAStatusIsDone) {
  for (const char* body : {"", "ok", "<p>status</p>", "{}", R"({"ok":true})",
                           R"({"data":{"status":"RETRY"}})", R"({"status":null})", R"(["status"])",
                           R"("status")", "42", R"({status: RETRY})", R"({"status":"RETRY")"}) {
    EXPECT_EQ(Read(200, body).action, Action::kDone) << body;
    EXPECT_EQ(Read(299, body).action, Action::kDone) << body;
  }
  EXPECT_EQ(Read(204).status, 204);
}

TEST(Verdict, ABodyThatWasCutShortLeavesTheWordToTheHttpStatus) {
  const auto cut = [](int status) { return Read(status, R"({"status":"RETRY"})", "7", true); };
  EXPECT_EQ(cut(200).action, Action::kDone);
  EXPECT_EQ(cut(422).action, Action::kRejected);
  EXPECT_EQ(cut(503).action, Action::kRetry);
  EXPECT_EQ(cut(503).wait, seconds(7));
}

TEST(Verdict, JsonThatCantBeReadIsAFailedAttempt) {
  for (const char* body :
       {R"({"status":"RETRY")", R"({"sta)", "{", "OK", R"({"ok":true}})", "\x1F\x8B\x08"}) {
    for (const char* type :
         {"application/json", "Application/JSON; charset=utf-8", "application/problem+json"}) {
      const Verdict verdict = ReadTyped(type, body);
      EXPECT_EQ(verdict.action, Action::kRetry) << body;
      EXPECT_EQ(verdict.reason, Reason::kUndecodable) << body;
      EXPECT_FALSE(verdict.detail.empty());
    }
    EXPECT_EQ(ReadTyped("text/plain", body).action, Action::kDone) << body;
  }
  for (const char* body :
       {"", " \r\n", "{}", "[]", "null", "42", R"({"a":"\ud800"})", "\xEF\xBB\xBF{}"})
    EXPECT_EQ(ReadTyped("application/json", body).action, Action::kDone) << body;
}

TEST(Verdict, AnObjectInJsonThatWasCutShortMayHaveAWord) {
  EXPECT_EQ(ReadTyped("application/json", R"({"items":[)", "", true).action, Action::kRetry);
  EXPECT_EQ(ReadTyped("application/json", "[1,2,", "", true).action, Action::kDone);
  EXPECT_EQ(ReadTyped("text/html", R"({"items":[)", "", true).action, Action::kDone);
}

TEST(Verdict, AnEncodedAnswerThatSaysThatItIsJsonIsAFailedAttempt) {
  EXPECT_EQ(ReadTyped("application/json", "\x1F\x8B", "gzip").action, Action::kRetry);
  EXPECT_EQ(ReadTyped("text/html", "\x1F\x8B", "br").action, Action::kDone);
  EXPECT_EQ(ReadTyped("application/json", R"({"status":"DROP"})", "Identity").action,
            Action::kDrop);
}

TEST(Verdict, AByteOrderMarkIsPassed) {
  EXPECT_EQ(Read(200, "\xEF\xBB\xBF{\"status\":\"RETRY\"}").action, Action::kRetry);
}

TEST(Verdict, A2xxSaysItByWord) {
  EXPECT_EQ(Read(200, R"({"status":"SUCCESS"})").action, Action::kDone);
  EXPECT_EQ(Read(200, R"( {"x":1,"status":"RETRY"} )").action, Action::kRetry);
  EXPECT_EQ(Read(202, R"({"status":"DROP"})").action, Action::kDrop);
  EXPECT_EQ(Read(200, R"({"status":"DEAD_LETTER"})").action, Action::kDeadLetter);
  EXPECT_EQ(Read(200, R"({"\u0073tatus":"DROP"})").action, Action::kDrop);
}

TEST(Verdict, WordsAreReadInAnyCase) {
  EXPECT_EQ(Read(200, R"({"status":"success"})").action, Action::kDone);
  EXPECT_EQ(Read(200, R"({"status":"Retry"})").action, Action::kRetry);
}

TEST(Verdict, TheAppsReasonIsKept) {
  EXPECT_EQ(Read(200, R"({"status":"DEAD_LETTER","reason":"no such user"})").detail,
            "no such user");
  EXPECT_EQ(Read(200, R"({"status":"RETRY","reason":7})").detail, "");
}

TEST(Verdict, AnAskedForRetryIsNoFailureOfAClosedSet) {
  EXPECT_EQ(Read(200, R"({"status":"RETRY"})").reason, Reason::kNone);
}

TEST(Verdict, AnUnknownWordIsDoneAndIsSaid) {
  for (const char* body : {R"({"status":"ok"})", R"({"status":""})", R"({"status":200})",
                           R"({"status":true})", R"({"status":{}})", R"({"status":["RETRY"]})",
                           R"({"status":"RETRY "})", R"({"status":"ERROR"})"}) {
    const Verdict verdict = Read(200, body);
    EXPECT_EQ(verdict.action, Action::kDone) << body;
    EXPECT_EQ(verdict.reason, Reason::kNone) << body;
    EXPECT_TRUE(verdict.unknown_word) << body;
  }
  EXPECT_EQ(Read(200, R"({"status":"ok"})").detail, "ok");
  for (const char* body : {"", "{}", R"({"status":null})", R"({"status":"Success"})"})
    EXPECT_FALSE(Read(200, body).unknown_word) << body;
}

TEST(Verdict, OfWordsThatStandTwiceTheLastCounts) {
  EXPECT_EQ(Read(200, R"({"status":"SUCCESS","status":"RETRY"})").action, Action::kRetry);
}

TEST(Verdict, DelayIsADurationOrANumberOfSeconds) {
  const auto wait = [](const std::string& delay) {
    return Read(200, R"({"status":"RETRY","delay":)" + delay + "}").wait;
  };
  EXPECT_EQ(wait(R"("5s")"), seconds(5));
  EXPECT_EQ(wait(R"("1m30s")"), seconds(90));
  EXPECT_EQ(wait("5"), seconds(5));
  EXPECT_EQ(wait("0.25"), milliseconds(250));
  EXPECT_EQ(wait("0"), seconds(0));
  for (const char* none : {"null", "-1", R"("soon")", R"("")", "[5]", "true"})
    EXPECT_EQ(wait(none), std::nullopt) << none;
}

TEST(Verdict, NoWaitIsLongerThanAnHour) {
  EXPECT_EQ(Read(200, R"({"status":"RETRY","delay":"100h"})").wait, hours(1));
  EXPECT_EQ(Read(200, R"({"status":"RETRY","delay":1e300})").wait, hours(1));
  EXPECT_EQ(Read(503, "", "86400").wait, hours(1));
  EXPECT_EQ(Read(503, "", "99999999999999999999999").wait, hours(1));
  EXPECT_EQ(Read(503, "", "Fri, 31 Dec 9999 23:59:59 GMT").wait, hours(1));
}

TEST(Verdict, WhatMayPassIsTriedAgain) {
  for (const int status : {404, 405, 408, 409, 425, 429}) {
    EXPECT_EQ(Read(status).action, Action::kRetry) << status;
    EXPECT_EQ(Read(status).reason, Reason::kStatus4xx) << status;
  }
  for (const int status : {500, 501, 502, 503, 504, 599}) {
    EXPECT_EQ(Read(status).action, Action::kRetry) << status;
    EXPECT_EQ(Read(status).reason, Reason::kStatus5xx) << status;
  }
}

TEST(Verdict, AnyOther4xxIsDeterministic) {
  for (const int status : {400, 401, 403, 406, 410, 411, 412, 413, 414, 415, 418, 422, 451, 499}) {
    EXPECT_EQ(Read(status, R"({"status":"SUCCESS"})").action, Action::kRejected) << status;
    EXPECT_EQ(Read(status).reason, Reason::kStatus4xx) << status;
  }
}

TEST(Verdict, ARedirectIsTriedAgainAndNotFollowed) {
  for (const int status : {300, 301, 302, 304, 307, 308})
    EXPECT_EQ(Label(Read(status).reason), "status_3xx") << status;
  EXPECT_EQ(Read(301).action, Action::kRetry);
}

TEST(Verdict, ANumberThatIsNoStatusIsTriedAgain) {
  for (const int status : {-1, 0, 101, 600, 999}) {
    EXPECT_EQ(Read(status).action, Action::kRetry) << status;
    EXPECT_EQ(Label(Read(status).reason), "undecodable") << status;
  }
}

TEST(Verdict, RetryAfterIsSecondsOrAnHttpDate) {
  EXPECT_EQ(Read(503, "", "7").wait, seconds(7));
  EXPECT_EQ(Read(429, "", "0").wait, seconds(0));
  EXPECT_EQ(Read(503, "", "Mon, 23 Nov 2026 20:00:30 GMT").wait, seconds(30));
  EXPECT_EQ(Read(503, "", "Monday, 23-Nov-26 20:01:00 GMT").wait, seconds(60));
  EXPECT_EQ(Read(503, "", "Mon Nov 23 20:00:05 2026").wait, seconds(5));
  EXPECT_EQ(Read(503, "", "Mon, 23 Nov 2026 19:00:00 GMT").wait, seconds(0)) << "it has passed";
  for (const char* none : {"", "soon", "-5", "5s", "1.5", "Mon, 23 Nov 2026 20:00:30 CET"})
    EXPECT_EQ(Read(503, "", none).wait, std::nullopt) << none;
}

TEST(Verdict, ACallWithoutAnAnswer) {
  const auto on = [](http::Failure failure) { return VerdictOn({failure, "why", true}); };
  EXPECT_EQ(on(http::Failure::kTimeout).action, Action::kRetry);
  EXPECT_EQ(on(http::Failure::kTimeout).reason, Reason::kTimeout);
  EXPECT_EQ(on(http::Failure::kCut).action, Action::kRetry);
  EXPECT_EQ(on(http::Failure::kProtocol).action, Action::kRetry);
  EXPECT_EQ(on(http::Failure::kProtocol).reason, Reason::kUndecodable);
  EXPECT_EQ(on(http::Failure::kRefused).action, Action::kAppDown);
  EXPECT_EQ(on(http::Failure::kRefused).reason, Reason::kRefused);
  EXPECT_EQ(on(http::Failure::kRefused).detail, "why");
}

TEST(Verdict, ACancelledCallIsNotAttempted) {
  EXPECT_EQ(VerdictOn({http::Failure::kCancelled, "", true}).action, Action::kCancelled);
}

TEST(Verdict, ACallThatHttpCantCarryIsAsGoodAsUndecodable) {
  EXPECT_EQ(VerdictOn({http::Failure::kProtocol, "", false}).action, Action::kDeadLetter);
}

TEST(Verdict, ARecordThatCantBeDecodedIsDeadLetteredAtOnce) {
  EXPECT_EQ(Undecodable("why").action, Action::kDeadLetter);
  EXPECT_EQ(Label(Undecodable("why").reason), "undecodable");
}

}  // namespace
}  // namespace outrigger::deliver
