#include "cli/status_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace outrigger::cli {
namespace {

using Json = nlohmann::ordered_json;
using testing::HasSubstr;
using testing::Not;

const base::WallTime kNow{std::chrono::seconds(1'800'000'000)};

const char kMetrics[] =
    "outrigger_producer_events_total{topic=\"user.events\",outcome=\"acked\"} 1234567\n"
    "outrigger_producer_events_total{topic=\"user.events\",outcome=\"failed\"} 2\n"
    "outrigger_producer_events_total{topic=\"none\",outcome=\"failed\"} 0\n"
    "outrigger_producer_latency_seconds_bucket{topic=\"user.events\",le=\"0.005\"} 10\n"
    "outrigger_producer_latency_seconds_bucket{topic=\"user.events\",le=\"+Inf\"} 10\n"
    "outrigger_delivery_in_flight{subscription=\"mail\"} 7\n"
    "outrigger_consumer_events_total{subscription=\"mail\",topic=\"a\",outcome=\"delivered\"} 40\n"
    "outrigger_consumer_events_total{subscription=\"mail\",topic=\"b\",outcome=\"delivered\"} 2\n"
    "outrigger_consumer_lag{group=\"g.mail\",topic=\"a\",partition=\"0\"} 30\n"
    "outrigger_consumer_lag{group=\"g.mail\",topic=\"a\",partition=\"1\"} 12\n"
    "outrigger_consumer_lag_seconds{group=\"g.mail\",topic=\"a\",partition=\"1\"} 90\n"
    "outrigger_consumer_oldest_unsettled_age_seconds{group=\"g.mail\"} 5\n";

Json Answer() {
  return Json::parse(
      R"({"observedGeneration":"abc","conditions":[{"type":"Delivering/mail","status":"False",)"
      R"("reason":"AppDown","message":"http://127.0.0.1:3000 can't be reached or is unhealthy",)"
      R"("lastTransitionTime":"2027-01-15T07:58:20Z"}],"memory":{"budget":1000,)"
      R"("shares":{"kafka":{"bytes":20971520,"used":1048576}}}})");
}

TEST(StatusText, JoinsConditionsAndMetrics) {
  const Json answer = Answer();
  const Scrape scrape(kMetrics);
  const std::string text = StatusText(StatusOf({answer, scrape}, kNow), kNow);
  EXPECT_THAT(text, HasSubstr("Delivering/mail              False    AppDown, for 1m\n"
                              "    http://127.0.0.1:3000 can't be reached or is unhealthy\n"));
  EXPECT_THAT(text,
              HasSubstr("user.events                1,234,567        0       2     0  5.0 ms"));
  EXPECT_THAT(text, Not(HasSubstr("none")));
  EXPECT_THAT(text,
              HasSubstr("mail                         42        0     0        0          7"));
  EXPECT_THAT(text, HasSubstr("g.mail           2   42         1m                5s"));
  EXPECT_THAT(text, HasSubstr("kafka   1.0MiB     20.0MiB"));
  EXPECT_THAT(text, Not(HasSubstr("SPOOL"))) << "there is none";
}

TEST(StatusText, WithAnEarlierLookCountsASecond) {
  const Json answer = Answer();
  const Scrape before(kMetrics);
  const Scrape now(std::string(kMetrics) +
                   "outrigger_producer_events_total{topic=\"user.events\",outcome=\"spooled\"} 5\n"
                   "outrigger_spool_max_bytes 1073741824\n"
                   "outrigger_spool_oldest_timestamp_seconds 1799999990\n");
  const Json status = StatusOf({answer, now, &before, 2}, kNow);
  EXPECT_EQ(status["topics"][1]["acked"], 0);
  EXPECT_EQ(status["topics"][1]["spooled"], 2.5);
  EXPECT_EQ(status["spool"]["oldestSeconds"], 10);
  const std::string text = StatusText(status, kNow);
  EXPECT_THAT(text, HasSubstr("PUBLISHED a second"));
  EXPECT_THAT(text, HasSubstr("2.5"));
  EXPECT_THAT(text, HasSubstr("1.0GiB     10s"));
}

TEST(StatusText, NoLineIsLongerThanAHundredColumns) {
  Json answer = Answer();
  std::string message;
  for (int n = 0; n < 100; ++n) message += "word" + std::to_string(n) + " ";
  answer["conditions"][0]["message"] = message;
  const Scrape scrape("outrigger_producer_events_total{topic=\"" + std::string(249, 't') +
                      "\",outcome=\"acked\"} 123456789012\n");
  std::istringstream lines(StatusText(StatusOf({answer, scrape}, kNow), kNow));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100U) << line;
}

}  // namespace
}  // namespace outrigger::cli
