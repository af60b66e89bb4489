// The spool's file on a real disk: what was acknowledged is there after a kill at any moment.
#include "store/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <random>
#include <set>
#include <string>

#include "support/store_folder.h"

namespace outrigger::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using test::RowOf;

class StoreTest : public test::StoreFolder {
 protected:
  uint64_t FileBytes() const {
    uint64_t sum = 0;
    for (const char* suffix : {"", "-wal", "-shm"}) {
      std::error_code none;
      const uintmax_t size = std::filesystem::file_size(file() + suffix, none);
      if (!none) sum += size;
    }
    return sum;
  }
};

TEST_F(StoreTest, WhatWasPutIsThereAfterTheFileWasClosed) {
  ASSERT_TRUE(Open());
  const auto ids = Put({RowOf("k", "a"), RowOf("k", "b")});
  ASSERT_TRUE(ids);
  EXPECT_EQ(ids->size(), 2U);
  ASSERT_TRUE(Open());
  EXPECT_THAT(Values(), ElementsAre("a", "b"));
  store_->Remove({ids->front().id});
  EXPECT_THAT(Values(), ElementsAre("b")) << "a read sees what was removed before";
}

TEST_F(StoreTest, ManyThatWaitAreAnsweredInTheirOrder) {
  ASSERT_TRUE(Open());
  std::vector<int64_t> ids;
  constexpr size_t kMany = 2000;
  for (size_t i = 0; i < kMany; ++i)
    store_->Put({RowOf("k", std::to_string(i))},
                [&ids](const auto& put) { ids.push_back(put->front().id); });
  ASSERT_TRUE(test::RunUntil(loop_, [&ids] { return ids.size() == kMany; }));
  EXPECT_TRUE(std::ranges::is_sorted(ids));
  const auto values = Values();
  ASSERT_EQ(values.size(), kMany);
  for (size_t i = 0; i < kMany; ++i) ASSERT_EQ(values[i], std::to_string(i));
}

TEST_F(StoreTest, ASecondStoreOnTheFolderIsRefusedAndNamesTheFirst) {
  ASSERT_TRUE(Open());
  const auto second = Store::Open(loop_, {folder_});
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message,
              HasSubstr("belongs to the running process " + std::to_string(getpid())));
  EXPECT_FALSE(second.error().hint.empty());
}

TEST_F(StoreTest, ANewerFormatIsRefusedAndTheFileStaysAsItIs) {
  ASSERT_TRUE(Open());
  ASSERT_TRUE(Put({RowOf("k", "a")}));
  store_.reset();
  Execute("PRAGMA user_version = 2");
  const auto opened = Open();
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("format 2"));
  Execute("PRAGMA user_version = 1");
  ASSERT_TRUE(Open());
  EXPECT_THAT(Values(), ElementsAre("a"));
}

TEST_F(StoreTest, ADatabaseOfSomebodyElseIsRefused) {
  Execute("CREATE TABLE mine (x)");
  const auto opened = Open();
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("is not Outrigger's"));
}

TEST_F(StoreTest, AFolderThatIsNotThereIsNamed) {
  const auto opened = Store::Open(loop_, {folder_ + "/none"});
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr(folder_ + "/none/outrigger.lock"));
  EXPECT_THAT(opened.error().message, HasSubstr("No such file"));
}

TEST_F(StoreTest, ARowThatWasDamagedIsToldAndTheOthersAreRead) {
  ASSERT_TRUE(Open());
  const auto ids = Put({RowOf("k", "a"), RowOf("k", "b"), RowOf("k", "c")});
  ASSERT_TRUE(ids);
  store_.reset();
  Execute("UPDATE spool SET value = 'x' WHERE id = " + std::to_string((*ids)[1].id));
  ASSERT_TRUE(Open());
  EXPECT_THAT(Values(), ElementsAre("a", "c"));
  EXPECT_THAT(Read().damaged, ElementsAre((*ids)[1].id));
}

TEST_F(StoreTest, AFullSpoolTakesNothingUntilRowsHaveLeftIt) {
  ASSERT_TRUE(Open(1 << 20));
  std::vector<int64_t> ids;
  base::Result<Store::Placements> put;
  while ((put = Put({RowOf("k", std::to_string(ids.size()) + std::string(10'000, 'x'))})) &&
         ids.size() < 1000)
    ids.push_back(put->front().id);
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().message, "the spool is full");
  EXPECT_EQ(put.error().code, base::Code::kTooLarge);
  EXPECT_THAT(put.error().hint, HasSubstr("spool.maxBytes"));
  EXPECT_GT(ids.size(), 10U);
  store_->Remove(ids);
  EXPECT_THAT(Values(), IsEmpty());
  EXPECT_TRUE(Put({RowOf("k", "a")}));
  EXPECT_THAT(Values(), ElementsAre("a"));
}

TEST_F(StoreTest, AnEventThatAFullSpoolHasIsARepeatThere) {
  ASSERT_TRUE(Open());
  ASSERT_TRUE(Put({RowOf("k", "a")}));
  store_->SetMaxBytes(1);
  const auto put = Put({RowOf("k", "a")});
  ASSERT_TRUE(put);
  EXPECT_EQ(put->front().kind, Placed::Kind::kRepeat);
  EXPECT_FALSE(Put({RowOf("k", "a"), RowOf("k", "b")}));
}

TEST_F(StoreTest, TheRoomOfAFullSpoolIsChangedWhileItRuns) {
  ASSERT_TRUE(Open(1));
  ASSERT_FALSE(Put({RowOf("k", "a")}));
  store_->SetMaxBytes(1 << 30);
  EXPECT_TRUE(Put({RowOf("k", "a")}));
  EXPECT_GT(store_->used_bytes(), 10'000U);
}

TEST_F(StoreTest, AllFilesTogetherStayBelowTheirMost) {
  constexpr uint64_t kMost = 24 << 20;
  ASSERT_TRUE(Open(kMost));
  std::vector<int64_t> ids;
  base::Result<Store::Placements> put;
  uint64_t next = 0;
  // Filled, half emptied and filled again.
  for (int round = 0; round < 3; ++round) {
    do {
      std::vector<Row> rows;
      for (int i = 0; i < 100; ++i) {
        rows.push_back(RowOf("k", std::string(1 + next % 4000, 'x')));
        // Anywhere in the index.
        rows.back().event_id = std::to_string(++next * 7919 % 1'000'003);
      }
      put = Put(std::move(rows));
      if (put)
        for (const Placed& placed : *put) ids.push_back(placed.id);
      ASSERT_LE(FileBytes(), kMost);
    } while (put);
    EXPECT_EQ(put.error().code, base::Code::kTooLarge);
    EXPECT_GT(FileBytes(), kMost / 2);
    const auto half = ids.begin() + static_cast<ptrdiff_t>(ids.size() / 2);
    store_->Remove({ids.begin(), half});
    ids.erase(ids.begin(), half);
    EXPECT_EQ(Read().rows.size(), ids.size());
    ASSERT_LE(FileBytes(), kMost);
  }
}

TEST_F(StoreTest, WhatHasLeftIsGivenBackToTheDisk) {
  ASSERT_TRUE(Open());
  std::vector<Row> rows;
  for (int i = 0; i < 4000; ++i)
    rows.push_back(RowOf("k", std::to_string(i) + std::string(1000, 'x')));
  const auto put = Put(std::move(rows));
  ASSERT_TRUE(put);
  ASSERT_GT(FileBytes(), 5U << 20);
  std::vector<int64_t> ids;
  for (const Placed& placed : *put) ids.push_back(placed.id);
  store_->Remove(std::move(ids));
  EXPECT_TRUE(test::RunUntil(loop_, [this] { return FileBytes() < 200'000; }));
  EXPECT_TRUE(test::RunUntil(loop_, [this] { return store_->used_bytes() < 200'000; }));
}

TEST_F(StoreTest, TheTimeOfEachCommitIsTold) {
  std::atomic<int> commits = 0;
  on_commit_ = [&commits](base::Duration took) { commits += took > base::Duration(0) ? 1 : 0; };
  ASSERT_TRUE(Open());
  Put({RowOf("k", "a")});
  Put({RowOf("k", "b")});
  EXPECT_EQ(commits, 2);
}

TEST_F(StoreTest, ItTellsWhatItFoundInTheFile) {
  ASSERT_TRUE(Open());
  EXPECT_EQ(store_->found().records, 0U);
  ASSERT_TRUE(Put({RowOf("k", "a"), RowOf("k", "b")}));
  ASSERT_TRUE(Open());
  EXPECT_EQ(store_->found().records, 2U);
  EXPECT_EQ(store_->found().topics.at("user.events").records, 2U);
  EXPECT_EQ(store_->found().last_id, 2);
}

TEST_F(StoreTest, AnEventIsFoundInTheSpoolAndThenInTheQuarantine) {
  ASSERT_TRUE(Open());
  const auto placed = Put({RowOf("k", "a"), RowOf("k", "b")});
  ASSERT_TRUE(placed);
  const int64_t id = placed->front().id;
  EXPECT_EQ(Ask<Store::Found>([this](auto on) { store_->Find("a", on); }).spooled.size(), 1U);
  EXPECT_TRUE(Ask<bool>([=, this](auto on) { store_->Quarantine(id, "rejected", "why", on); }));
  const auto found = Ask<Store::Found>([this](auto on) { store_->Find("a", on); });
  EXPECT_THAT(found.spooled, IsEmpty());
  ASSERT_EQ(found.quarantined.size(), 1U);
  EXPECT_GT(found.quarantined[0].quarantined_ms, 0);
  ASSERT_TRUE(Open());
  EXPECT_EQ(store_->found().quarantined, 1U);
  EXPECT_EQ(store_->found().records, 1U);
}

TEST_F(StoreTest, TheQuarantineIsListedRequeuedAndDropped) {
  ASSERT_TRUE(Open());
  ASSERT_TRUE(Put({RowOf("k", "a"), RowOf("k", "b"), RowOf("k", "c")}));
  for (const int64_t id : {1, 2})
    Ask<bool>([=, this](auto on) { store_->Quarantine(id, "rejected", "why", on); });
  const auto rows =
      Ask<Store::QuarantinedRows>([this](auto on) { store_->ListQuarantine(0, 10, 1 << 20, on); });
  EXPECT_EQ(rows.size(), 2U);
  const auto requeued = Ask<Store::Changes>([this](auto on) { store_->Requeue({1, 7}, on); });
  ASSERT_EQ(requeued.size(), 2U);
  EXPECT_EQ(requeued[0]->row.id, 4);
  EXPECT_EQ(requeued[0]->bytes, rows[0].row.bytes());
  EXPECT_FALSE(requeued[1]);
  const auto dropped = Ask<Store::Changes>([this](auto on) {
    store_->DropQuarantined({1, 2}, on);
  });
  EXPECT_FALSE(dropped[0]);
  EXPECT_EQ(dropped[1]->row.id, 2);
  EXPECT_THAT(Values(), ElementsAre("c", "a"));
}

// ---- killed at any moment

// Writes until it is killed, and tells each value once its row is safe.
[[noreturn]] void WriteAndTell(const std::string& folder, int told, uint64_t from) {
  base::Loop loop;
  auto store = Store::Open(loop, {folder});
  if (!store) _exit(1);
  uint64_t next = from;
  const std::function<void()> put = [&] {
    const uint64_t value = next++;
    (*store)->Put({RowOf(std::to_string(value % 8), std::to_string(value))},
                  [&put, told, value](const auto& result) {
                    if (!result || write(told, &value, sizeof value) != sizeof value) _exit(1);
                    put();
                  });
  };
  for (int i = 0; i < 16; ++i) put();
  loop.Run();
  _exit(1);
}

// Kills the writer after so many values were told, and returns those that were.
std::vector<uint64_t> KilledAfter(size_t many, const std::string& folder, uint64_t from) {
  int pipe_ends[2];
  EXPECT_EQ(pipe(pipe_ends), 0);
  const pid_t writer = fork();
  if (writer == 0) WriteAndTell(folder, pipe_ends[1], from);
  close(pipe_ends[1]);
  std::vector<uint64_t> told;
  for (uint64_t value; read(pipe_ends[0], &value, sizeof value) == sizeof value;) {
    told.push_back(value);
    if (told.size() == many) kill(writer, SIGKILL);
  }
  close(pipe_ends[0]);
  int status = 0;
  EXPECT_EQ(waitpid(writer, &status, 0), writer);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
  return told;
}

TEST_F(StoreTest, KilledAtAnyMomentItHasEveryRowThatItToldInTheOrderOfTheirKeys) {
  std::minstd_rand random(20'261'127);
  std::vector<uint64_t> told;
  uint64_t from = 0;
  for (int round = 0; round < 20; ++round) {
    const auto now = KilledAfter(1 + random() % 300, folder_, from);
    told.insert(told.end(), now.begin(), now.end());
    from += 1'000'000;
  }
  ASSERT_TRUE(Open());
  const SpoolTable::Page page = Read();
  EXPECT_THAT(page.damaged, IsEmpty());
  std::map<std::string, uint64_t> last_of_key;
  std::set<uint64_t> stored;
  for (const Row& row : page.rows) {
    const uint64_t value = std::stoull(*row.record.value);
    EXPECT_TRUE(stored.insert(value).second) << value << " is there twice";
    const auto [last, first] = last_of_key.try_emplace(*row.record.key, value);
    EXPECT_TRUE(first || last->second < value) << value << " comes after " << last->second;
    last->second = value;
  }
  for (const uint64_t value : told) EXPECT_TRUE(stored.contains(value)) << value;
}

}  // namespace
}  // namespace outrigger::store
