// The disk has changed bytes of the spool's file: it opens all the same, and only the rows that
// were hit are lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <set>
#include <string>

#include "support/store_folder.h"

namespace outrigger::store {
namespace {

namespace fs = std::filesystem;

using test::RowOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr size_t kPage = 4096;

// Nothing here is about what reaches the disk, so where there is one it is in memory.
class StoreDamageTest : public test::StoreFolder {
 protected:
  StoreDamageTest() : StoreFolder(access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp") {}

  // A file with so many rows, some of them on several pages, and some quarantined.
  void Fill(int rows) {
    ASSERT_TRUE(Open());
    std::vector<Row> all;
    for (int i = 0; i < rows; ++i) {
      all.push_back(RowOf("k", std::to_string(i) + std::string(i % 50 == 7 ? 9000 : 200, 'x')));
      all.back().event_id = "id-" + std::to_string(i);
    }
    ASSERT_TRUE(Put(std::move(all)));
    for (int64_t id = 11; id <= rows; id += 100)
      Ask<bool>([=, this](auto on) { store_->Quarantine(id, "rejected", "why", on); });
    store_->Remove({1, 2, 3});
    Read();
    store_.reset();
  }
  std::string Bytes() const {
    std::ifstream in(file(), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void SetBytes(const std::string& bytes) const {
    std::ofstream(file(), std::ios::binary | std::ios::trunc) << bytes;
  }
  std::set<int64_t> Ids() {
    std::set<int64_t> ids;
    for (const Row& row : Read().rows) ids.insert(row.id);
    return ids;
  }
  std::vector<std::string> Kept() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_))
      if (entry.path().filename().string().starts_with("outrigger.db.damaged-"))
        names.push_back(entry.path());
    return names;
  }
  void RemoveKept() const {
    for (const std::string& name : Kept()) fs::remove(name);
  }
};

TEST_F(StoreDamageTest, ARowThatWasHitIsQuarantinedAndTheOthersComeBack) {
  Fill(300);
  std::string bytes = Bytes();
  const size_t at = bytes.find("250xxx");
  ASSERT_NE(at, std::string::npos);
  bytes[at + 50] = static_cast<char>(bytes[at + 50] ^ 4);
  SetBytes(bytes);
  ASSERT_TRUE(Open());
  EXPECT_THAT(Read().rows, SizeIs(300 - 3 - 3 - 1));
  const auto quarantined = Quarantined();
  ASSERT_THAT(quarantined, SizeIs(4));
  EXPECT_TRUE(quarantined.back().damaged);
  EXPECT_EQ(quarantined.back().row.id, 251);
  EXPECT_EQ(quarantined.back().reason, "damaged");
  EXPECT_EQ(quarantined.front().reason, "rejected");
}

TEST_F(StoreDamageTest, TheDamagedFileIsKeptAsItIsAndItIsTold) {
  Fill(300);
  std::string bytes = Bytes();
  bytes[bytes.find("250xxx") + 50] = 'y';
  SetBytes(bytes);
  // While it runs: nothing reads that page when the file is opened.
  std::atomic<uint64_t> salvaged = 0;
  on_salvage_ = [&salvaged](const Salvage& salvage) { salvaged = salvage.rows; };
  ASSERT_TRUE(Open());
  EXPECT_EQ(store_->found().salvage, std::nullopt);
  EXPECT_THAT(Read().rows, SizeIs(293));
  EXPECT_EQ(salvaged, 293U);
  ASSERT_THAT(Kept(), SizeIs(1));
  std::ifstream in(Kept()[0], std::ios::binary);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), bytes);
}

TEST_F(StoreDamageTest, WhatTheHeadOfTheFileSaidIsFoundWithoutIt) {
  Fill(300);
  std::string bytes = Bytes();
  bytes.replace(0, kPage, kPage, '\xA5');
  SetBytes(bytes);
  ASSERT_TRUE(Open());
  ASSERT_TRUE(store_->found().salvage);
  EXPECT_EQ(store_->found().salvage->rows, 294U);
  EXPECT_EQ(store_->found().salvage->quarantined, 3U);
  EXPECT_EQ(store_->found().salvage->damaged, 0U);
  EXPECT_EQ(store_->found().salvage->lost, 0U);
  EXPECT_THAT(Kept(), ElementsAre(store_->found().salvage->kept));
  EXPECT_EQ(store_->found().records, 294U);
  EXPECT_EQ(store_->found().last_id, 300);
  EXPECT_GT(Put({RowOf("k", "new")})->front().id, 300);
}

TEST_F(StoreDamageTest, PagesThatAreGoneAreToldAsLost) {
  Fill(300);
  std::string bytes = Bytes();
  size_t page = bytes.find("250xxx") / kPage * kPage;
  bytes.replace(page, kPage, kPage, '\xA5');
  bytes.replace(0, 16, 16, '\xA5');
  SetBytes(bytes);
  ASSERT_TRUE(Open());
  ASSERT_TRUE(store_->found().salvage);
  const Salvage& salvage = *store_->found().salvage;
  EXPECT_GT(salvage.lost, 5U);
  EXPECT_EQ(salvage.rows + salvage.lost, 294U);
}

TEST_F(StoreDamageTest, AFileThatIsNoDatabaseAtAllIsKeptAndTheSpoolIsEmpty) {
  std::ofstream(file()) << "something else, or what is left of a file " << std::string(9000, 'x');
  ASSERT_TRUE(Open());
  EXPECT_THAT(Values(), IsEmpty());
  EXPECT_THAT(Kept(), SizeIs(1));
  EXPECT_TRUE(Put({RowOf("k", "a")}));
}

TEST_F(StoreDamageTest, ASalvageThatWasInterruptedIsCompleted) {
  Fill(300);
  store_.reset();
  fs::rename(file(), file() + ".salvaged");
  std::ofstream(file()) << "the damaged one";
  std::ofstream(file() + ".salvaging") << "of an earlier try";
  ASSERT_TRUE(Open());
  EXPECT_THAT(Read().rows, SizeIs(294));
  EXPECT_THAT(Kept(), SizeIs(1));
  EXPECT_FALSE(fs::exists(file() + ".salvaging"));
}

// ---- the log

class StoreLogDamageTest : public StoreDamageTest {
 protected:
  // The files after a kill: the log has what five transactions of ten rows put.
  void FillLog() {
    auto database = SpoolFile::Open(file());
    ASSERT_TRUE(database);
    for (int i = 0; i < 50; i += 10) {
      ASSERT_TRUE(database->Begin(UINT64_MAX));
      for (int j = i; j < i + 10; ++j) {
        Row row = RowOf("k", std::to_string(j) + std::string(200, 'x'));
        row.event_id = "id-" + std::to_string(j);
        ASSERT_TRUE(database->spool().Put(row));
      }
      ASSERT_TRUE(database->Commit());
    }
    fs::create_directory(folder_ + "/copy");
    for (const char* suffix : {"", "-wal"})
      fs::copy_file(file() + suffix, folder_ + "/copy/outrigger.db" + suffix);
  }
  // Opens those files, with one byte of the log changed where `text` is last.
  void OpenWith(const std::string& text) {
    for (const char* suffix : {"", "-wal"})
      fs::rename(folder_ + "/copy/outrigger.db" + suffix, file() + suffix);
    std::fstream log(file() + "-wal", std::ios::binary | std::ios::in | std::ios::out);
    const std::string bytes(std::istreambuf_iterator<char>(log), {});
    const size_t at = bytes.rfind(text);
    ASSERT_NE(at, std::string::npos);
    log.clear();
    log.seekp(static_cast<std::streamoff>(at));
    log.put('#');
    log.close();
    ASSERT_TRUE(Open());
  }
};

TEST_F(StoreLogDamageTest, ARowThatWasHitInTheLogDoesNotTakeThoseBehindItAlong) {
  FillLog();
  OpenWith("15xxx");
  EXPECT_THAT(Read().rows, SizeIs(49));
  ASSERT_TRUE(store_->found().salvage);
  EXPECT_THAT(Kept(), SizeIs(2)) << "the log, too";
}

TEST_F(StoreLogDamageTest, ALastTransactionThatIsNotCompleteIsCutOff) {
  FillLog();
  OpenWith("45xxx");
  EXPECT_THAT(Read().rows, SizeIs(40));
  EXPECT_THAT(Kept(), IsEmpty());
}

// Flips bits of a stopped file one after the other. OUTRIGGER_BIT_FLIPS: how many.
TEST_F(StoreDamageTest, WhereverABitIsFlippedItOpensAndAtMostTheRowsThatWereHitAreLost) {
  const char* runs = std::getenv("OUTRIGGER_BIT_FLIPS");
  Fill(400);
  const std::string bytes = Bytes();
  ASSERT_TRUE(Open());
  const std::set<int64_t> all = Ids();
  store_.reset();
  std::minstd_rand random(20'261'127);
  int told = 0;
  for (int run = 0; run < (runs != nullptr ? std::atoi(runs) : 50); ++run) {
    std::string flipped = bytes;
    const size_t bit = random() % (bytes.size() * 8);
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    SetBytes(flipped);
    const auto opened = Open();
    ASSERT_TRUE(opened) << bit << ": " << opened.error().message;
    const std::set<int64_t> now = Ids();
    std::vector<int64_t> missing;
    std::ranges::set_difference(all, now, std::back_inserter(missing));
    // One row, or one that has left it long ago.
    EXPECT_LE(missing.size(), 1U) << bit;
    EXPECT_TRUE(std::ranges::includes(all, now)) << bit;
    if (!missing.empty() || !Kept().empty()) ++told;
    EXPECT_THAT(Kept(), SizeIs(testing::Ge(missing.size()))) << bit;
    EXPECT_TRUE(Put({RowOf("k", "new")})) << bit;
    store_.reset();
    RemoveKept();
  }
  EXPECT_GT(told, 5);
}

}  // namespace
}  // namespace outrigger::store
