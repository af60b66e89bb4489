// The spool's file on a real disk: what was acknowledged is there after a kill at any moment.
#include "store/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <string>

#include "support/on_loop.h"

namespace outrigger::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Row RowOf(const std::string& key, std::string value) {
  Row row;
  row.event_id = value;
  row.source = "/app";
  row.record.topic = "user.events";
  row.record.key = key;
  row.record.value = std::move(value);
  return row;
}

class StoreTest : public testing::Test {
 protected:
  StoreTest() {
    std::array<char, 64> folder{"/tmp/outrigger-store-XXXXXX"};
    folder_ = mkdtemp(folder.data());
  }
  ~StoreTest() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  base::Result<void> Open(uint64_t max_bytes = 1 << 30) {
    store_.reset();
    auto opened = Store::Open(loop_, {folder_, max_bytes});
    if (!opened) return base::Fail(opened.error());
    store_ = std::move(*opened);
    return {};
  }
  base::Result<std::vector<int64_t>> Put(std::vector<Row> rows) {
    std::optional<base::Result<std::vector<int64_t>>> result;
    store_->Put(std::move(rows), [&result](const auto& put) { result = put; });
    EXPECT_TRUE(test::RunUntil(loop_, [&result] { return result.has_value(); }));
    return std::move(*result);
  }
  SpoolTable::Page Read(int64_t after = 0) {
    std::optional<base::Result<SpoolTable::Page>> page;
    store_->Read(after, 100'000, 1 << 30, [&page](auto read) { page = std::move(read); });
    EXPECT_TRUE(test::RunUntil(loop_, [&page] { return page.has_value(); }));
    return page && *page ? std::move(**page) : SpoolTable::Page();
  }
  std::vector<std::string> Values() {
    std::vector<std::string> values;
    for (const Row& row : Read().rows) values.push_back(*row.record.value);
    return values;
  }
  std::string file() const { return folder_ + "/outrigger.db"; }
  void Execute(const std::string& sql) { ASSERT_TRUE(Database::Open(file())->Execute(sql)) << sql; }

  base::Loop loop_;
  std::string folder_;
  std::unique_ptr<Store> store_;
};

TEST_F(StoreTest, WhatWasPutIsThereAfterTheFileWasClosed) {
  ASSERT_TRUE(Open());
  const auto ids = Put({RowOf("k", "a"), RowOf("k", "b")});
  ASSERT_TRUE(ids);
  EXPECT_EQ(ids->size(), 2U);
  ASSERT_TRUE(Open());
  EXPECT_THAT(Values(), ElementsAre("a", "b"));
  store_->Remove({ids->front()});
  EXPECT_THAT(Values(), ElementsAre("b")) << "a read sees what was removed before";
}

TEST_F(StoreTest, ManyThatWaitAreAnsweredInTheirOrder) {
  ASSERT_TRUE(Open());
  std::vector<int64_t> ids;
  constexpr size_t kMany = 2000;
  for (size_t i = 0; i < kMany; ++i)
    store_->Put({RowOf("k", std::to_string(i))},
                [&ids](const auto& put) { ids.push_back(put->front()); });
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
  Execute("UPDATE spool SET value = 'x' WHERE id = " + std::to_string((*ids)[1]));
  ASSERT_TRUE(Open());
  EXPECT_THAT(Values(), ElementsAre("a", "c"));
  EXPECT_THAT(Read().damaged, ElementsAre((*ids)[1]));
}

TEST_F(StoreTest, AFullSpoolTakesNothingUntilRowsHaveLeftIt) {
  ASSERT_TRUE(Open(1 << 20));
  std::vector<int64_t> ids;
  base::Result<std::vector<int64_t>> put;
  while ((put = Put({RowOf("k", std::string(10'000, 'x'))})) && ids.size() < 1000)
    ids.push_back(put->front());
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().message, "the spool is full");
  EXPECT_TRUE(put.error().retryable);
  EXPECT_GT(ids.size(), 10U);
  store_->Remove(ids);
  EXPECT_THAT(Values(), IsEmpty());
  EXPECT_TRUE(Put({RowOf("k", "a")}));
  EXPECT_THAT(Values(), ElementsAre("a"));
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
