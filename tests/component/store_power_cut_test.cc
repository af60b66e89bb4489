// The power is cut at any moment, and fsync fails: what was acknowledged is on the disk.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "support/power_cut.h"
#include "support/store_folder.h"

namespace outrigger::store {
namespace {

namespace fs = std::filesystem;

using Faults = test::PowerCutDisk::Faults;

int FromEnvironment(const char* name, int otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::atoi(text) : otherwise;
}

// Puts and removes rows until the power is cut, and tells each value when its row is safe.
[[noreturn]] void WriteUntilTheCut(const std::string& files, const std::string& disk, int told,
                                   const Faults& faults, uint64_t from) {
  test::PowerCutDisk power(disk, faults);
  base::Loop loop;
  // So few pages that the log is often copied, while rows are put and by a transaction.
  const StoreOptions options{.folder = files, .log_pages = 100};
  auto store = Store::Open(loop, options);
  for (int i = 0; i < 100 && !store; ++i) store = Store::Open(loop, options);
  if (!store) _exit(1);
  uint64_t next = from;
  const std::function<void()> put = [&] {
    const uint64_t value = next++;
    Row row = test::RowOf(std::to_string(value % 8), std::to_string(value));
    if (value % 20 == 0) row.record.value->append(20'000, ' ');
    (*store)->Put({std::move(row)}, [&, value](const auto& result) {
      if (result) {
        // Every third one leaves the spool again.
        const uint64_t safe = value % 3 == 0 ? 0 : value;
        if (safe != 0 && write(told, &safe, sizeof safe) != sizeof safe) _exit(1);
        if (safe == 0) (*store)->Remove({result->front().id});
      }
      put();
    });
  };
  for (int i = 0; i < 16; ++i) put();
  loop.Run();
  _exit(1);
}

// One transaction after the other, as the store does it, in the same order of calls each time.
// Ends with 3 when the power was not cut.
[[noreturn]] void WriteInTurn(const std::string& files, const std::string& disk, int told,
                              const Faults& faults) {
  test::PowerCutDisk power(disk, faults);
  auto folder = SpoolFolder::Take(files);
  std::optional<SpoolFile> file;
  const auto put = [&](uint64_t value) -> base::Result<void> {
    if (!file) {
      auto opened = folder->OpenFile();
      if (!opened) return base::Fail(opened.error());
      file = std::move(*opened);
    }
    if (auto begun = file->Begin(1 << 30); !begun) return begun;
    Row row = test::RowOf("k", std::to_string(value));
    // Its place in the index is anywhere, and that has many pages.
    row.event_id = std::to_string(value * 7919 % 1009) + std::string(600, 'x');
    if (auto placed = file->spool().Put(row); !placed) return base::Fail(placed.error());
    return file->Commit();
  };
  for (uint64_t value = 1; value < 60; ++value) {
    if (put(value)) {
      if (write(told, &value, sizeof value) != sizeof value) _exit(1);
    } else {
      file.reset();
    }
  }
  _exit(3);
}

class StorePowerCutTest : public test::StoreFolder {
 protected:
  StorePowerCutTest() : StoreFolder(access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp") {
    fs::create_directory(disk());
  }
  std::string disk() const { return folder_ + "/disk"; }
  void NewDisk() const {
    fs::remove_all(disk());
    fs::create_directory(disk());
  }
  std::string files() const { return folder_ + "/files"; }

  // Returns what the writer told before it ended, and how it did.
  using Writer = std::function<void(int told)>;
  std::pair<std::vector<uint64_t>, int> RunWriter(const Writer& write) {
    fs::remove_all(files());
    fs::copy(disk(), files());
    int pipe_ends[2];
    EXPECT_EQ(pipe(pipe_ends), 0);
    const pid_t writer = fork();
    if (writer == 0) write(pipe_ends[1]);
    close(pipe_ends[1]);
    std::vector<uint64_t> told;
    for (uint64_t value; read(pipe_ends[0], &value, sizeof value) == sizeof value;)
      told.push_back(value);
    close(pipe_ends[0]);
    int status = 0;
    EXPECT_EQ(waitpid(writer, &status, 0), writer);
    EXPECT_TRUE(WIFEXITED(status)) << status;
    return {told, WEXITSTATUS(status)};
  }

  void RunRounds(int rounds, const std::function<Faults(std::function<int()>)>& faults_of) {
    std::minstd_rand random(20'261'127);
    std::vector<uint64_t> told;
    size_t all = 0;
    for (int round = 0; round < rounds && !HasFailure(); ++round) {
      if (round % 10 == 0) {
        NewDisk();
        told.clear();
      }
      const auto from = 1 + 1'000'000 * static_cast<uint64_t>(round);
      const auto faults = faults_of([&random] { return static_cast<int>(random() % INT_MAX); });
      const auto [now, ended] = RunWriter(
          [&, this](int told_to) { WriteUntilTheCut(files(), disk(), told_to, faults, from); });
      EXPECT_EQ(ended, 0);
      all += now.size();
      told.insert(told.end(), now.begin(), now.end());
      ExpectOnDisk(told);
    }
    EXPECT_GT(all, 20U * static_cast<size_t>(rounds));
  }
  // All that was told is on the disk, and none of it was damaged.
  void ExpectOnDisk(const std::vector<uint64_t>& told) {
    fs::remove_all(files());
    fs::copy(disk(), files());
    const std::string folder = std::exchange(folder_, files());
    if (getenv("KEEP")) {
      fs::remove_all("/tmp/kept");
      fs::copy(folder + "/disk", "/tmp/kept");
    }
    ASSERT_TRUE(Open());
    auto database = Database::Open(file());
    auto check = database->Prepare("PRAGMA integrity_check");
    ASSERT_TRUE(check->Step());
    EXPECT_EQ(check->Text(0), "ok");
    check = Statement();
    database = base::Fail({});
    EXPECT_EQ(store_->found().salvage, std::nullopt);
    const SpoolTable::Page page = Read();
    EXPECT_EQ(store_->found().records, page.rows.size());
    store_.reset();
    folder_ = folder;
    EXPECT_THAT(page.damaged, testing::IsEmpty());
    std::map<std::string, uint64_t> last_of_key;
    std::set<uint64_t> stored;
    for (const Row& row : page.rows) {
      const uint64_t value = std::stoull(*row.record.value);
      EXPECT_TRUE(stored.insert(value).second) << value << " is there twice";
      uint64_t& last = last_of_key[*row.record.key];
      EXPECT_LT(last, value + 1) << "out of order";
      last = value;
    }
    int lost = 0;
    for (const uint64_t value : told) lost += stored.contains(value) ? 0 : 1;
    EXPECT_EQ(lost, 0) << "of " << told.size();
  }
};

// OUTRIGGER_POWER_CUTS, OUTRIGGER_FSYNC_FAILURES: how many power cuts, and how many with fsyncs
// that fail before them.
TEST_F(StorePowerCutTest, NothingThatWasAcknowledgedIsLostByAPowerCut) {
  RunRounds(FromEnvironment("OUTRIGGER_POWER_CUTS", 10),
            [](auto random) { return Faults{.seed = random(), .calls = 1 + random() % 3000}; });
}

TEST_F(StorePowerCutTest, NothingIsAcknowledgedByAnFsyncThatFailed) {
  RunRounds(FromEnvironment("OUTRIGGER_FSYNC_FAILURES", 10), [](auto random) {
    return Faults{.seed = random(),
                  .calls = 500 + random() % 2000,
                  .fail = 1 + random() % 3,
                  .fail_of = 12 + random() % 20};
  });
}

// Fsync fails in different places, and the power is cut after each single call that follows, or
// after every OUTRIGGER_POWER_CUT_STEP calls.
TEST_F(StorePowerCutTest, WhereverThePowerIsCutAfterAnFsyncThatFailed) {
  const int step = FromEnvironment("OUTRIGGER_POWER_CUT_STEP", 11);
  for (int fail_of = 10; fail_of < 20; fail_of += 3) {
    int ended = 0;
    for (int calls = 1; ended == 0 && !HasFailure(); calls += step) {
      NewDisk();
      const Faults faults{.seed = calls, .calls = calls, .fail = 2, .fail_of = fail_of};
      const auto written =
          RunWriter([&, this](int told_to) { WriteInTurn(files(), disk(), told_to, faults); });
      ended = written.second;
      if (ended == 0) ExpectOnDisk(written.first);
      EXPECT_FALSE(HasFailure()) << "the power was cut after " << calls << " calls, and of "
                                 << fail_of << " syncs two failed";
    }
    EXPECT_TRUE(ended == 3 || HasFailure()) << ended;
  }
}

}  // namespace
}  // namespace outrigger::store
