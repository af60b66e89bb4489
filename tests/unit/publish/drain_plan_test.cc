#include "publish/drain_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "base/clock.h"

namespace outrigger::publish {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A disk with rows, and a producer with a partition for each lane.
class DrainTest : public testing::Test {
 protected:
  void Put(int64_t id, const Lane& lane) {
    rows_[id] = lane;
    plan_.OnPut(id);
  }

  // Reads as long as there is something to read, `page` rows at a time. Returns what was given.
  std::vector<int64_t> Drain(size_t page = 3) {
    std::vector<int64_t> given;
    while (const auto reading = plan_.Next(now_)) {
      bool all = true;
      size_t read = 0;
      for (auto row = rows_.upper_bound(reading->after); row != rows_.end(); ++row) {
        if (read++ == page) {
          all = false;
          break;
        }
        const auto step = plan_.Look(*reading, row->first, row->second, now_);
        if (step == DrainPlan::Step::kStop) {
          all = false;
          break;
        }
        if (step == DrainPlan::Step::kSkip) continue;
        EXPECT_TRUE(with_producer_.insert(row->first).second) << row->first << " was given twice";
        plan_.OnGiven(*reading, row->first, row->second, 100, now_);
        given.push_back(row->first);
      }
      plan_.EndReading(*reading, all);
    }
    return given;
  }
  void Ack(int64_t id) {
    with_producer_.erase(id);
    rows_.erase(id);
    plan_.OnLeft(id, now_);
  }
  void Refuse(int64_t id) {
    with_producer_.erase(id);
    plan_.OnRefused(id, now_);
  }

  base::TimePoint now_ = base::TimePoint() + seconds(1000);
  DrainPlan plan_{{.lane_records = 100, .bytes = 10'000}};
  std::map<int64_t, Lane> rows_;
  std::set<int64_t> with_producer_;
  const Lane a_{"t", 0}, b_{"t", 1}, other_{"u", 0};
  using Ids = std::vector<int64_t>;
};

TEST_F(DrainTest, RecordsAreGivenOnceAndInOrder) {
  for (int64_t id = 1; id <= 8; ++id) Put(id, id % 2 ? a_ : b_);
  EXPECT_EQ(Drain(), (Ids{1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(Drain(), Ids{});
  for (int64_t id = 1; id <= 8; ++id) Ack(id);
  Put(9, a_);
  EXPECT_EQ(Drain(), Ids{9});
}

TEST_F(DrainTest, WhatTheProducerHasAlreadyIsNotGivenToIt) {
  plan_.OnLate(a_);
  rows_[1] = a_;
  plan_.OnLatePut(1, a_);
  Put(2, b_);
  EXPECT_EQ(Drain(), Ids{2});
  EXPECT_TRUE(plan_.Waits(a_, now_));
  Ack(1);
  EXPECT_FALSE(plan_.Waits(a_, now_));
}

TEST_F(DrainTest, ARecordThatIsBeingDroppedAndThoseBehindItAreNotGivenUntilTheDiskHasAnswered) {
  for (int64_t id = 1; id <= 3; ++id) Put(id, a_);
  EXPECT_FALSE(plan_.BeginDrop(4)) << "it is not on the disk yet, as far as is known";
  EXPECT_TRUE(plan_.BeginDrop(2));
  EXPECT_FALSE(plan_.BeginDrop(2)) << "it is being dropped already";
  const auto reading = plan_.Next(now_);
  ASSERT_TRUE(reading);
  EXPECT_EQ(plan_.Look(*reading, 1, a_, now_), DrainPlan::Step::kGive);
  plan_.OnGiven(*reading, 1, a_, 100, now_);
  EXPECT_EQ(plan_.Look(*reading, 2, a_, now_), DrainPlan::Step::kStop);
  plan_.EndReading(*reading, false);
  EXPECT_FALSE(plan_.BeginDrop(1)) << "the producer has it";
  plan_.EndDrop(2, false);
  EXPECT_EQ(Drain(), (Ids{2, 3})) << "it could not be dropped";
}

TEST_F(DrainTest, ADroppedRecordOfAPageThatWasReadBeforeIsNotGiven) {
  for (int64_t id = 1; id <= 2; ++id) Put(id, a_);
  EXPECT_TRUE(plan_.BeginDrop(1));
  plan_.EndDrop(1, true);
  EXPECT_EQ(Drain(), Ids{2});
}

TEST_F(DrainTest, AStuckLaneDelaysNoOther) {
  plan_.OnLate(a_);
  rows_[1] = a_;
  plan_.OnLatePut(1, a_);
  Put(2, a_);
  Put(3, b_);
  Put(4, a_);
  Put(5, other_);
  EXPECT_EQ(Drain(), (Ids{3, 5}));
  Ack(1);
  EXPECT_EQ(Drain(), (Ids{2, 4}));
}

TEST_F(DrainTest, ALaneThatIsBusyIsWaitedForUntilItIsStuck) {
  for (int64_t id = 1; id <= 70; ++id) Put(id, a_);
  Put(71, b_);
  EXPECT_EQ(Drain(16).size(), 64U) << "the first window";
  EXPECT_EQ(Drain(), Ids{});
  now_ += milliseconds(999);
  EXPECT_EQ(Drain(), Ids{});
  now_ += milliseconds(1);
  EXPECT_EQ(Drain(), Ids{71});
  Ack(1);
  EXPECT_EQ(Drain(), Ids{}) << "a page is not read for one record";
  for (int64_t id = 2; id <= 32; ++id) Ack(id);
  EXPECT_EQ(Drain().size(), 6U);
  for (int64_t id = 71; id <= 200; ++id) Put(id, a_);
  EXPECT_EQ(Drain().size(), 58U) << "the window has grown by what was acknowledged";
}

TEST_F(DrainTest, WhatIsRefusedComesAgainAfterAPauseBeforeWhatCameLater) {
  for (int64_t id = 1; id <= 3; ++id) Put(id, a_);
  EXPECT_EQ(Drain(), (Ids{1, 2, 3}));
  for (int64_t id = 1; id <= 3; ++id) Refuse(id);
  Put(4, a_);
  Put(5, b_);
  EXPECT_EQ(Drain(), Ids{5});
  EXPECT_TRUE(plan_.Waits(a_, now_));
  now_ += seconds(1);
  EXPECT_EQ(Drain(), Ids{1}) << "one tries whether the others would pass";
  Refuse(1);
  now_ += seconds(1);
  EXPECT_EQ(Drain(), Ids{}) << "the second pause is longer";
  now_ += seconds(1);
  EXPECT_EQ(Drain(), Ids{1});
  Ack(1);
  EXPECT_EQ(Drain(), (Ids{2, 3, 4}));
  for (int64_t id = 2; id <= 4; ++id) Ack(id);
  EXPECT_FALSE(plan_.Waits(a_, now_));
}

TEST_F(DrainTest, WhatLeftWhileTheDiskWasReadIsNotGivenOnceMore) {
  Put(1, a_);
  EXPECT_EQ(Drain(), Ids{1});
  Refuse(1);
  now_ += seconds(1);
  const auto reading = plan_.Next(now_);
  ASSERT_TRUE(reading);
  EXPECT_EQ(plan_.Look(*reading, 1, a_, now_), DrainPlan::Step::kGive);
  plan_.OnGiven(*reading, 1, a_, 100, now_);
  plan_.OnLeft(1, now_);
  EXPECT_EQ(plan_.Look(*reading, 1, a_, now_), DrainPlan::Step::kSkip);
  plan_.EndReading(*reading, true);
}

TEST_F(DrainTest, WhatLeftAndIsStillOnTheDiskIsNotGivenOnceMore) {
  Put(1, a_);
  EXPECT_EQ(Drain(), Ids{1});
  Refuse(1);
  now_ += seconds(1);
  Put(2, a_);
  EXPECT_EQ(Drain(), Ids{1});
  with_producer_.erase(1);
  plan_.OnLeft(1, now_);
  EXPECT_EQ(Drain(), Ids{2});
  rows_.erase(1);
  plan_.left().OnRemove();
  Put(3, a_);
  EXPECT_EQ(Drain(), Ids{3});
}

TEST_F(DrainTest, WhatReachedKafkaBeforeTheDiskIsNotGivenFromTheDisk) {
  plan_.OnLate(a_);
  Put(1, b_);
  const auto reading = plan_.Next(now_);
  ASSERT_TRUE(reading);
  plan_.OnLateLeft(2, a_);
  EXPECT_EQ(plan_.Look(*reading, 2, a_, now_), DrainPlan::Step::kSkip);
  plan_.EndReading(*reading, true);
}

TEST_F(DrainTest, AKeyKeepsItsOrderWhileThePartitionsOfItsTopicAreNotKnown) {
  const Lane unknown{"t", Lane::kUnknown};
  Put(1, a_);
  EXPECT_EQ(Drain(), Ids{1});
  Refuse(1);
  Put(2, a_);
  EXPECT_EQ(Drain(), Ids{});
  // The topic is looked up again: all its records are of one lane.
  for (auto& [id, lane] : rows_) lane = unknown;
  Put(3, unknown);
  now_ += seconds(5);
  EXPECT_EQ(Drain(), (Ids{1, 2, 3}));
}

TEST_F(DrainTest, RecordsWithoutAKeyPassThoseOfAPartitionThatIsStuck) {
  plan_.OnLate(a_);
  rows_[1] = a_;
  plan_.OnLatePut(1, a_);
  Put(2, a_);
  Put(3, Lane{"t", Lane::kAny});
  EXPECT_EQ(Drain(), Ids{3});
}

TEST_F(DrainTest, BytesOfAllLanesAreBounded) {
  for (int64_t id = 1; id <= 200; ++id) Put(id, Lane{"t", static_cast<int32_t>(id % 4)});
  EXPECT_EQ(Drain(1).size(), 100U) << "10,000 bytes of records of 100 bytes";
  for (int64_t id = 1; id <= 10; ++id) Ack(id);
  EXPECT_EQ(Drain(1).size(), 10U);
}

// Partitions that hang, refuse and come back, topics that are looked up again, and pages of any
// size: every record is given until it is acknowledged, and those of a key in order.
TEST(DrainHistories, LoseNothingAndKeepTheOrderOfEveryKey) {
  constexpr int kTopics = 2, kPartitions = 3, kKeys = 9;
  for (unsigned seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const auto chance = [&random](int percent) {
      return static_cast<int>(random() % 100) < percent;
    };
    base::TimePoint now = base::TimePoint() + seconds(1000);
    DrainPlan plan({.lane_records = 8, .lane_bytes = 600, .bytes = 2000});
    struct Row {
      std::string topic;
      int key;
    };
    std::map<int64_t, Row> rows;
    std::map<std::string, bool> placed;
    std::map<std::pair<std::string, int>, std::vector<int64_t>> queues;  // the producer's
    std::map<std::pair<std::string, int>, int64_t> last_acked;
    std::map<std::pair<std::string, int>, bool> hangs;
    std::vector<int64_t> acknowledged;  // and still on the disk
    int64_t next_id = 1;
    const auto lane_of = [&](const Row& row) {
      return Lane{row.topic, placed[row.topic] ? row.key % kPartitions : Lane::kUnknown};
    };
    const auto read = [&] {
      const auto reading = plan.Next(now);
      if (!reading) return false;
      size_t left = 1 + random() % 6;
      bool all = true;
      for (auto row = rows.upper_bound(reading->after); row != rows.end(); ++row, --left) {
        if (left == 0) {
          all = false;
          break;
        }
        const Lane lane = lane_of(row->second);
        const auto step = plan.Look(*reading, row->first, lane, now);
        if (step == DrainPlan::Step::kStop) {
          all = false;
          break;
        }
        if (step == DrainPlan::Step::kSkip) continue;
        auto& queue = queues[{row->second.topic, row->second.key % kPartitions}];
        EXPECT_EQ(std::count(queue.begin(), queue.end(), row->first), 0);
        for (const int64_t id : queue)
          EXPECT_TRUE(rows.at(id).key != row->second.key || id < row->first);
        queue.push_back(row->first);
        plan.OnGiven(*reading, row->first, lane, 100, now);
      }
      plan.EndReading(*reading, all);
      return true;
    };
    const auto acknowledge = [&](std::vector<int64_t>& queue) {
      const int64_t id = queue.front();
      const Row row = rows.at(id);
      EXPECT_GT(id, (last_acked[{row.topic, row.key}])) << "of key " << row.key;
      last_acked[{row.topic, row.key}] = id;
      queue.erase(queue.begin());
      acknowledged.push_back(id);
      plan.OnLeft(id, now);
    };
    const auto remove = [&] {
      for (const int64_t id : std::exchange(acknowledged, {})) rows.erase(id);
      plan.left().OnRemove();
    };
    for (int step = 0; step < 400; ++step) {
      now += milliseconds(random() % 300);
      const std::string topic(1, static_cast<char>('t' + random() % kTopics));
      if (chance(40)) {
        rows[next_id] = {topic, static_cast<int>(random() % kKeys)};
        plan.OnPut(next_id++);
      }
      if (chance(3)) placed[topic] = !placed[topic];
      const std::pair<std::string, int> partition{topic, static_cast<int>(random() % kPartitions)};
      if (chance(3)) hangs[partition] = !hangs[partition];
      auto& queue = queues[partition];
      if (chance(2)) {  // all that waits is refused
        for (const int64_t id : std::exchange(queue, {})) plan.OnRefused(id, now);
      }
      while (!queue.empty() && !hangs[partition] && chance(70)) acknowledge(queue);
      if (chance(20)) remove();
      if (chance(60)) read();
    }
    for (int turn = 0; turn < 2000 && !rows.empty(); ++turn) {
      now += milliseconds(200);
      for (auto& [partition, queue] : queues)
        while (!queue.empty()) acknowledge(queue);
      remove();
      for (int reads = 0; reads < 5; ++reads) read();
    }
    EXPECT_TRUE(rows.empty()) << rows.size() << " were never given";
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace outrigger::publish
