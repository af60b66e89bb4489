// How the spool is read on its way to Kafka: pages of a store on a disk.
#include "publish/spool_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "support/store_folder.h"

namespace outrigger::publish {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

class SpoolReaderTest : public test::StoreFolder {
 protected:
  SpoolReaderTest() {
    EXPECT_TRUE(Open());
    reader_.emplace(*store_, left_);
  }
  ~SpoolReaderTest() override { store_.reset(); }

  void PutRows(size_t count) {
    std::vector<store::Row> rows;
    for (size_t i = 0; i < count; ++i) rows.push_back(test::RowOf("k", std::to_string(++next_)));
    ASSERT_TRUE(Put(std::move(rows)));
  }
  // The ids of the page, of which so many are looked at.
  std::vector<int64_t> Page(int64_t after, size_t look_at = SIZE_MAX) {
    std::optional<std::vector<int64_t>> ids;
    reader_->Read(after, [&](SpoolReader::Page& page) {
      ids.emplace();
      for (const store::Row& row : page->rows) ids->push_back(row.id);
      return std::min(look_at, page->rows.size());
    });
    EXPECT_TRUE(test::RunUntil(loop_, [&ids] { return ids.has_value(); }));
    return ids.value_or(std::vector<int64_t>());
  }

  LeftRows left_;
  std::optional<SpoolReader> reader_;
  int next_ = 0;
};

TEST_F(SpoolReaderTest, WhatWasNotLookedAtIsShownAgainWithoutTheDisk) {
  PutRows(6);
  EXPECT_THAT(Page(0, 2), ElementsAre(1, 2, 3, 4, 5, 6));
  store_->Remove({3, 4, 5, 6});
  EXPECT_THAT(Page(2, 1), ElementsAre(3, 4, 5, 6));
  EXPECT_THAT(Page(3, 0), ElementsAre(4, 5, 6));
  EXPECT_THAT(Page(3), ElementsAre(4, 5, 6));
  EXPECT_THAT(Page(3), ElementsAre()) << "all was looked at, so the disk is asked";
}

TEST_F(SpoolReaderTest, ElsewhereTheDiskIsAsked) {
  PutRows(6);
  EXPECT_THAT(Page(2, 1), ElementsAre(3, 4, 5, 6));
  EXPECT_THAT(Page(1, 1), ElementsAre(2, 3, 4, 5, 6)) << "before what was kept";
  EXPECT_THAT(Page(4, 1), ElementsAre(5, 6)) << "and behind it";
}

TEST_F(SpoolReaderTest, ARowThatHasLeftIsKnownAsLongAsAPageShowsIt) {
  PutRows(6);
  Page(0, 2);
  left_.Add(4);
  left_.OnRemove();
  EXPECT_THAT(Page(2, 1), SizeIs(4));
  EXPECT_TRUE(left_.Contains(4));
  Page(3);
  EXPECT_FALSE(left_.Contains(4));
  Page(0, 1);
  left_.Add(5);
  left_.OnRemove();
  Page(6);
  EXPECT_FALSE(left_.Contains(5)) << "what was kept is shown no more";
}

TEST_F(SpoolReaderTest, RowsThatComeAfterTheDiskHasFoundNoneAreShown) {
  PutRows(512);
  EXPECT_THAT(Page(0), SizeIs(512));
  // The disk has read what is behind them, nothing, when this is answered.
  Read();
  PutRows(1);
  EXPECT_THAT(Page(512), ElementsAre(513));
}

}  // namespace
}  // namespace outrigger::publish
