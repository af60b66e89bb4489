#include "config/watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace outrigger::config {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

// A folder of files, and a clock by which a second passes at once.
class WatchTest : public testing::Test {
 protected:
  WatchTest() : folder_(fs::temp_directory_path() / ("watch-" + std::to_string(getpid()))) {
    fs::create_directories(folder_);
    Write("outrigger.yaml", "first");
  }
  ~WatchTest() override { fs::remove_all(folder_); }

  void Write(const fs::path& name, const std::string& text) {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name) << text;
  }
  void Replace(const fs::path& name, const std::string& text) {
    Write("new", text);
    fs::rename(folder_ / "new", folder_ / name);
  }
  // A symbolic link that is swapped as the kubelet does it.
  void Link(const fs::path& name, const fs::path& target) {
    fs::create_symlink(target, folder_ / "..tmp");
    fs::rename(folder_ / "..tmp", folder_ / name);
  }

  std::unique_ptr<Watch> Open(const std::vector<std::string>& followed = {}) {
    auto watch = std::make_unique<Watch>(
        loop_, folder_ / "outrigger.yaml",
        [this] {
          ++told_;
          if (on_change_) on_change_();
        },
        [this](const std::string& trouble) {
          trouble_ = trouble;
          if (on_trouble_) on_trouble_();
        });
    if (!followed.empty()) Follow(*watch, followed);
    return watch;
  }
  void Follow(Watch& watch, const std::vector<std::string>& names) {
    std::vector<std::string> paths;
    for (const auto& name : names) paths.push_back(folder_ / name);
    watch.Follow(paths);
  }
  // How often a change was told within a second from now.
  int Told() {
    const int before = told_;
    loop_.Advance(clock_, std::chrono::seconds(1));
    return told_ - before;
  }

  fs::path folder_;
  base::ManualClock clock_;
  base::Loop loop_{clock_.clock()};
  std::function<void()> on_change_;
  std::function<void()> on_trouble_;
  std::string trouble_;
  int told_ = 0;
};

TEST_F(WatchTest, ReportsAnEditInPlaceAndARename) {
  const auto watch = Open();
  EXPECT_EQ(Told(), 0);
  Write("outrigger.yaml", "second");
  EXPECT_EQ(Told(), 1);
  Replace("outrigger.yaml", "third");
  EXPECT_EQ(Told(), 1);
  fs::remove(folder_ / "outrigger.yaml");
  EXPECT_EQ(Told(), 1);
  Write("outrigger.yaml", "third");
  EXPECT_EQ(Told(), 1);
}

TEST_F(WatchTest, ReportsASwapOfSymbolicLinksAndAnEditOfTheirTarget) {
  Write("..v1/outrigger.yaml", "first");
  Write("..v2/outrigger.yaml", "second");
  Link("..data", "..v1");
  Link("outrigger.yaml", "..data/outrigger.yaml");
  const auto watch = Open();
  Link("..data", "..v2");
  EXPECT_EQ(Told(), 1);
  Write("..v2/outrigger.yaml", "third");
  EXPECT_EQ(Told(), 1);
}

TEST_F(WatchTest, ReportsAChangeSinceItWasMadeAlsoBeforeTheLoopRan) {
  const auto watch = Open();
  Write("outrigger.yaml", "second");
  EXPECT_EQ(Told(), 1);
}

TEST_F(WatchTest, ReportsAgainWhatChangesWhileItReports) {
  const auto watch = Open();
  on_change_ = [this] {
    if (told_ == 1) Write("outrigger.yaml", "third");
  };
  Write("outrigger.yaml", "second");
  EXPECT_EQ(Told(), 2);
}

TEST_F(WatchTest, ChangesThatComeTogetherAreReportedOnce) {
  const auto watch = Open({"schemas"});
  for (int n = 0; n < 10; ++n) Replace("outrigger.yaml", std::to_string(n));
  Write("schemas/thing.made/1.0.json", "{}");
  EXPECT_EQ(Told(), 1);
}

TEST_F(WatchTest, ReportsNothingOfATouchOrOfANeighbour) {
  const auto watch = Open();
  const auto file = folder_ / "outrigger.yaml";
  fs::last_write_time(file, fs::last_write_time(file) + std::chrono::seconds(1));
  Replace("outrigger.yaml", "first");
  Write("neighbour", "x");
  EXPECT_EQ(Told(), 0);
}

TEST_F(WatchTest, ABusyNeighbourDelaysNothing) {
  const auto watch = Open();
  Write("outrigger.yaml", "second");
  for (int n = 0; n < 20 && told_ == 0; ++n) {
    Write("neighbour", "x");
    loop_.Advance(clock_, milliseconds(50));
  }
  EXPECT_EQ(told_, 1);
}

TEST_F(WatchTest, ReportsSchemasAndOtherWatchedFiles) {
  Write("schemas/thing.made/1.0.json", "{}");
  const auto watch = Open({"schemas", "secret/token"});
  Write("schemas/thing.made/1.0.json", "true");
  EXPECT_EQ(Told(), 1);
  Write("schemas/thing.gone/1.0.json", "{}");
  EXPECT_EQ(Told(), 1);
  Write("schemas/thing.gone/1.0.json", "true");
  EXPECT_EQ(Told(), 1) << "the folder is new";
  fs::remove_all(folder_ / "schemas/thing.gone");
  EXPECT_EQ(Told(), 1);
  Write("secret/token", "t");
  EXPECT_EQ(Told(), 1) << "the folder was not there when it was followed";
  Write("schemas/thing.made/README.md", "no schema");
  EXPECT_EQ(Told(), 0);
}

TEST_F(WatchTest, AFolderOfSchemasMayBeALinkThatIsSwapped) {
  Write("mount/..v1/a/1.0.json", "{}");
  Write("mount/..v2/a/1.0.json", "true");
  Link("mount/..data", "..v1");
  Link("mount/schemas", "..data");
  const auto watch = Open({"mount/schemas"});
  Link("mount/..data", "..v2");
  EXPECT_EQ(Told(), 1);
}

TEST_F(WatchTest, ForgetsWhatIsNoLongerWatchedAndKeepsWhatIs) {
  Write("old/a/1.0.json", "{}");
  Write("kept/a/1.0.json", "{}");
  const auto watch = Open({"old", "kept"});
  Write("kept/a/1.0.json", "true");
  Follow(*watch, {"new", "kept"});
  EXPECT_EQ(Told(), 1) << "the change was not seen before";
  Write("old/a/1.0.json", "true");
  EXPECT_EQ(Told(), 0);
  Write("new/a/1.0.json", "{}");
  EXPECT_EQ(Told(), 1);
}

TEST_F(WatchTest, LooksAtOnceWhenAsked) {
  const auto watch = Open();
  EXPECT_FALSE(watch->Look());
  Write("outrigger.yaml", "second");
  EXPECT_TRUE(watch->Look());
  EXPECT_EQ(told_, 1);
  EXPECT_EQ(Told(), 0) << "it was told already";
}

TEST_F(WatchTest, WithoutInotifyItSaysSoAndLooksEveryFewSeconds) {
  rlimit usual{};
  getrlimit(RLIMIT_NOFILE, &usual);
  const rlimit none{0, usual.rlim_max};
  on_trouble_ = [&usual] { setrlimit(RLIMIT_NOFILE, &usual); };
  setrlimit(RLIMIT_NOFILE, &none);
  const auto watch = Open();
  EXPECT_THAT(trouble_,
              testing::HasSubstr("every 5 s, since inotify is not available: Too many open"));
  Write("outrigger.yaml", "second");
  EXPECT_EQ(Told(), 0);
  loop_.Advance(clock_, std::chrono::seconds(5));
  EXPECT_EQ(told_, 1);
  EXPECT_EQ(trouble_, "") << "by now it can be had";
  Write("outrigger.yaml", "third");
  EXPECT_EQ(Told(), 1);
}

}  // namespace
}  // namespace outrigger::config
