#include "kafka/end_of_turn.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace outrigger::kafka {
namespace {

class EndOfTurnTest : public testing::Test {
 protected:
  Entry* Record(uint64_t order) {
    auto* entry = new Entry;
    entry->order = order;
    return entry;
  }

  base::Loop loop_{base::ManualClock().clock()};
  std::vector<std::string> calls_;
  PartitionQueue first_, second_;
  std::optional<EndOfTurn> end_{
      std::in_place, loop_,
      [this](PartitionQueue& queue) {
        calls_.push_back("serve " + std::to_string(queue.partition));
      },
      [this](Entry* entry, Refusal refusal) {
        const std::unique_ptr<Entry> owned(entry);
        calls_.push_back("refuse " + std::to_string(entry->order) + " " + refusal.error.message);
      }};
};

TEST_F(EndOfTurnTest, AQueueIsServedOnceAndBeforeRefusalsAreReported) {
  second_.partition = 1;
  Refusal refusal;
  refusal.error.message = "full";
  end_->Refuse(Record(7), refusal);
  end_->Serve(first_);
  end_->Serve(second_);
  end_->Serve(first_);
  EXPECT_TRUE(calls_.empty());
  loop_.RunReady();
  EXPECT_EQ(calls_, (std::vector<std::string>{"serve 0", "serve 1", "refuse 7 full"}));
}

TEST_F(EndOfTurnTest, AServedQueueCanBeServedAgain) {
  for (int i = 0; i < 2; ++i) {
    end_->Serve(first_);
    loop_.RunReady();
  }
  EXPECT_EQ(calls_, (std::vector<std::string>{"serve 0", "serve 0"}));
}

TEST_F(EndOfTurnTest, AQueueThatEndsIsNotServed) {
  end_->Serve(first_);
  end_->Forget(first_);
  loop_.RunReady();
  EXPECT_TRUE(calls_.empty());
}

TEST_F(EndOfTurnTest, NothingComesAfterItsEnd) {
  end_->Serve(first_);
  end_->Refuse(Record(1), {});
  end_.reset();
  loop_.RunReady();
  EXPECT_TRUE(calls_.empty());
}

}  // namespace
}  // namespace outrigger::kafka
