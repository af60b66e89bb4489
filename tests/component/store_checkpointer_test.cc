// The log of the spool's file is copied into it by a thread of its own.
#include "store/checkpointer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "store/checked_pages.h"
#include "support/store_folder.h"

namespace outrigger::store {
namespace {

class StoreCheckpointerTest : public test::StoreFolder {
 protected:
  // A transaction with a row of some ten pages.
  base::Result<void> PutOne(SpoolFile& spool) {
    Row row = test::RowOf("k", std::to_string(++next_) + std::string(40'000, 'x'));
    row.event_id = std::to_string(next_);
    if (auto begun = spool.Begin(1 << 30); !begun) return begun;
    if (auto put = spool.spool().Put(row); !put) return base::Fail(put.error());
    return spool.Commit();
  }
  uint64_t SizeOf(const std::string& suffix) const {
    return std::filesystem::file_size(file() + suffix);
  }

  int next_ = 0;
};

TEST_F(StoreCheckpointerTest, ItCopiesWhatIsInTheLog) {
  auto spool = SpoolFile::Open(file());
  ASSERT_TRUE(spool);
  auto checkpointer = Checkpointer::Open(file());
  ASSERT_TRUE(checkpointer);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(PutOne(*spool));
  const uint64_t before = SizeOf("");
  (*checkpointer)->Start();
  ASSERT_TRUE(test::RunUntil(loop_, [&] { return !(*checkpointer)->state().at_work; }));
  EXPECT_GT((*checkpointer)->state().copied, 100);
  EXPECT_GT(SizeOf(""), before + 400'000);
}

TEST_F(StoreCheckpointerTest, TheLogStaysBelowItsMostWhilePutsNeverEnd) {
  auto folder = SpoolFolder::Take(folder_, 400);
  ASSERT_TRUE(folder);
  auto spool = folder->OpenFile();
  ASSERT_TRUE(spool);
  uint64_t largest = 0;
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(PutOne(*spool));
    largest = std::max(largest, SizeOf("-wal"));
  }
  EXPECT_GT(largest, 200U * kPageBytes);
  EXPECT_LT(largest, 430U * kPageBytes);
  EXPECT_GT(SizeOf(""), 2500U * kPageBytes);
}

}  // namespace
}  // namespace outrigger::store
