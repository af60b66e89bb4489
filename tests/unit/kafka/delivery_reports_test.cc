#include "kafka/delivery_reports.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace outrigger::kafka {
namespace {

using std::chrono::seconds;
using Calls = std::vector<std::string>;

class DeliveryReportsTest : public testing::Test {
 protected:
  Entry* Accept(const std::string& value) {
    auto* entry = new Entry;
    entry->record.topic = "orders";
    entry->record.value = value;
    entry->headers = PackedHeaders(std::vector<event::Header>{{"id", "1"}});
    entry->memory = 100;
    entry->on_report = [this](const Report& report, event::Record& record) {
      headers_ = record.headers.size();
      possibly_stored_ = !report && report.error().possibly_stored;
      held_ = topics_.held().records;
      calls_.push_back((report ? "stored " : "refused ") + *record.value);
    };
    topics_.Hold(*entry);
    topics_.Accept(*entry);
    return entry;
  }

  base::ManualClock clock_;
  base::Loop loop_{clock_.clock()};
  TopicTable topics_{clock_.clock(), 100, 1'000'000};
  DeliveryReports reports_{topics_};
  Calls calls_;
  size_t headers_ = 0;
  size_t held_ = 0;
  bool possibly_stored_ = false;
};

TEST_F(DeliveryReportsTest, AReportMakesRoomBeforeItIsSeen) {
  Entry* first = Accept("a");
  topics_.Find("orders")->Wait(Accept("b"));
  reports_.OnStored(first, {0, 7});
  EXPECT_EQ(calls_, Calls{"stored a"});
  EXPECT_EQ(held_, 1u);
  EXPECT_EQ(topics_.held().memory, 100u);
  EXPECT_EQ(topics_.Find("orders")->held().records, 1u);
}

TEST_F(DeliveryReportsTest, ARefusedRecordComesWithItsHeaders) {
  reports_.OnStored(Accept("a"), {});
  EXPECT_EQ(headers_, 0u);
  reports_.Refuse(Accept("b"), {});
  EXPECT_EQ(headers_, 1u);
  EXPECT_FALSE(possibly_stored_);
}

TEST_F(DeliveryReportsTest, ARecordThatKafkaMayHaveIsPossiblyStored) {
  Entry* entry = Accept("a");
  entry->maybe_stored = true;
  reports_.Refuse(entry, {});
  EXPECT_TRUE(possibly_stored_);
}

TEST_F(DeliveryReportsTest, CloseWaitsForTheLastReport) {
  Entry* first = Accept("a");
  Entry* second = Accept("b");
  reports_.Close(
      loop_, seconds(5), [this] { calls_.push_back("late"); },
      [this] { calls_.push_back("closed"); });
  EXPECT_TRUE(reports_.closing());
  reports_.OnStored(first, {});
  reports_.RefuseAll(std::vector<Entry*>{second}, {});
  EXPECT_EQ(calls_, (Calls{"stored a", "refused b", "closed"}));
}

TEST_F(DeliveryReportsTest, CloseIsDoneAtOnceWhenNothingWaits) {
  reports_.Close(
      loop_, seconds(5), [] {}, [this] { calls_.push_back("closed"); });
  EXPECT_EQ(calls_, Calls{"closed"});
}

TEST_F(DeliveryReportsTest, WhatIsLateIsRefusedBeforeCloseIsDone) {
  Entry* entry = Accept("a");
  reports_.Close(
      loop_, seconds(5), [this, entry] { reports_.Refuse(entry, {}); },
      [this] { calls_.push_back("closed"); });
  loop_.Advance(clock_, seconds(5));
  EXPECT_EQ(calls_, (Calls{"refused a", "closed"}));
}

}  // namespace
}  // namespace outrigger::kafka
