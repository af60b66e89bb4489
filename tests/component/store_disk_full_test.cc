// A disk that is full: events are refused at once, what the spool has leaves it, and it takes
// events again when there is space.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include "support/store_folder.h"

namespace outrigger::store {
namespace {

using test::RowOf;
using testing::IsEmpty;
using testing::SizeIs;

// On a disk of 8 MB of its own. Only root may mount one.
class StoreDiskFullTest : public test::StoreFolder {
 protected:
  void SetUp() override {
    mounted_ = mount("tmpfs", folder_.c_str(), "tmpfs", 0, "size=8m") == 0;
    if (!mounted_) GTEST_SKIP() << "a disk can't be mounted here";
    ASSERT_TRUE(Open());
  }
  void TearDown() override {
    store_.reset();
    if (mounted_) umount2(folder_.c_str(), MNT_DETACH);
  }

  Row Next() {
    ++next_;
    Row row = RowOf("k", std::string(1000, 'x'));
    row.event_id = std::to_string(next_);
    return row;
  }
  base::Result<Store::Placements> PutSome() {
    std::vector<Row> rows;
    for (int i = 0; i < 20; ++i) rows.push_back(Next());
    return Put(std::move(rows));
  }
  std::vector<int64_t> PutMany() {
    std::vector<int64_t> ids;
    while (ids.size() < 1000) {
      const auto put = PutSome();
      for (const Placed& placed : *put) ids.push_back(placed.id);
    }
    return ids;
  }
  // What others write.
  void FillDisk() const {
    std::ofstream filler(folder_ + "/filler", std::ios::binary);
    while (filler << std::string(4096, 'x') && filler.flush()) {
    }
  }
  void FreeDisk() const { std::filesystem::remove(folder_ + "/filler"); }
  std::vector<int64_t> PutUntilFull() {
    std::vector<int64_t> ids;
    base::Result<Store::Placements> put;
    while ((put = PutSome()))
      for (const Placed& placed : *put) ids.push_back(placed.id);
    EXPECT_EQ(put.error().code, base::Code::kUnavailable) << put.error().message;
    EXPECT_THAT(put.error().message, testing::HasSubstr("full"));
    EXPECT_FALSE(put.error().hint.empty());
    return ids;
  }
  std::vector<int64_t> Ids() {
    std::vector<int64_t> ids;
    for (const Row& row : Read().rows) ids.push_back(row.id);
    return ids;
  }
  void ExpectPutWithinTwoSeconds() {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(2);
    base::Result<Store::Placements> put;
    while (!(put = Put({Next()})) && std::chrono::steady_clock::now() < end) {
    }
    EXPECT_TRUE(put) << put.error().message;
  }

  bool mounted_ = false;
  int next_ = 0;
};

TEST_F(StoreDiskFullTest, WhatItAcknowledgedIsThereAndTheRestIsRefusedAtOnce) {
  const auto ids = PutUntilFull();
  EXPECT_GT(ids.size(), 500U);
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(PutSome());
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
  EXPECT_EQ(Ids(), ids);
  ASSERT_TRUE(Open()) << "also when it starts";
  EXPECT_EQ(Ids(), ids);
}

TEST_F(StoreDiskFullTest, RowsLeaveItWhileOthersHaveFilledTheDisk) {
  const auto ids = PutMany();
  FillDisk();
  const auto late = PutUntilFull();
  store_->Remove(ids);
  EXPECT_EQ(Ids(), late);
  ASSERT_TRUE(Open());
  EXPECT_EQ(Ids(), late) << "and they are not there again";
}

TEST_F(StoreDiskFullTest, ItTakesEventsAgainWithinTwoSecondsAfterSpaceIsFree) {
  FillDisk();
  const auto ids = PutUntilFull();
  FreeDisk();
  ExpectPutWithinTwoSeconds();
  EXPECT_EQ(Ids().size(), ids.size() + 1);
}

TEST_F(StoreDiskFullTest, ItTakesEventsAgainWhenItsOwnRowsHaveLeft) {
  store_->Remove(PutUntilFull());
  ExpectPutWithinTwoSeconds();
  EXPECT_THAT(Ids(), SizeIs(1));
}

TEST_F(StoreDiskFullTest, AFileThatIsDamagedIsNotTouchedWhileThereIsNoRoomForANewOne) {
  PutMany();
  store_.reset();
  {
    std::fstream bytes(file(), std::ios::binary | std::ios::in | std::ios::out);
    bytes << std::string(100, '#');
  }
  FillDisk();
  const auto opened = Open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, base::Code::kUnavailable);
  EXPECT_THAT(opened.error().message, testing::HasSubstr("damaged"));
  FreeDisk();
  ASSERT_TRUE(Open());
  EXPECT_THAT(Ids(), SizeIs(1000));
}

}  // namespace
}  // namespace outrigger::store
