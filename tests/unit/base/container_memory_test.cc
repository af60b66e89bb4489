// The container's memory limit as cgroups of both versions tell it.
#include "base/container_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

namespace outrigger::base {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(ParseMemoryLimit, IsANumberOrNothing) {
  EXPECT_EQ(ParseMemoryLimit("268435456\n"), 268435456U);
  EXPECT_EQ(ParseMemoryLimit("0\n"), 0U);
  EXPECT_EQ(ParseMemoryLimit("max\n"), std::nullopt);
  EXPECT_EQ(ParseMemoryLimit("9223372036854771712\n"), std::nullopt) << "version 1 without a limit";
  EXPECT_EQ(ParseMemoryLimit("18446744073709551616\n"), std::nullopt);
  EXPECT_EQ(ParseMemoryLimit("12 34\n"), std::nullopt);
  EXPECT_EQ(ParseMemoryLimit("-1\n"), std::nullopt);
  EXPECT_EQ(ParseMemoryLimit(""), std::nullopt);
}

TEST(MemoryLimitFiles, GoFromTheProcessUpwards) {
  EXPECT_THAT(MemoryLimitFiles("0::/a/b\n"),
              ElementsAre("a/b/memory.max", "a/memory.max", "memory.max"));
  EXPECT_THAT(MemoryLimitFiles("9:name=systemd:/\n4:memory:/a\n1:cpu,cpuacct:/x\n"),
              ElementsAre("memory/a/memory.limit_in_bytes", "memory/memory.limit_in_bytes"));
  EXPECT_THAT(MemoryLimitFiles("3:hugetlb,memory:/\n"),
              ElementsAre("memory/memory.limit_in_bytes"));
}

TEST(MemoryLimitFiles, AreNoneWhereNothingIsSaid) {
  for (const char* text :
       {"", "\n", "nothing", "1:memory", "4:memory:relative\n", "2:memoryx:/a\n"})
    EXPECT_THAT(MemoryLimitFiles(text), IsEmpty()) << text;
}

class ContainerMemoryTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = testing::TempDir() + "cgroup-XXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    root_ = folder;
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void Write(const std::string& file, const std::string& text) {
    const auto path = root_ / file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }

  std::filesystem::path root_;
};

TEST_F(ContainerMemoryTest, TheSmallestLimitOfNestedGroupsCounts) {
  Write("proc/self/cgroup", "0::/pod/container\n");
  Write("sys/fs/cgroup/pod/container/memory.max", "max\n");
  Write("sys/fs/cgroup/pod/memory.max", "134217728\n");
  EXPECT_EQ(ContainerMemoryLimit(root_), 134217728U);
  Write("sys/fs/cgroup/pod/container/memory.max", "67108864\n");
  EXPECT_EQ(ContainerMemoryLimit(root_), 67108864U);
}

TEST_F(ContainerMemoryTest, VersionOneIsReadToo) {
  Write("proc/self/cgroup", "4:memory:/c\n0::/\n");
  Write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(ContainerMemoryLimit(root_), std::nullopt);
  Write("sys/fs/cgroup/memory/c/memory.limit_in_bytes", "268435456\n");
  EXPECT_EQ(ContainerMemoryLimit(root_), 268435456U);
}

TEST_F(ContainerMemoryTest, APathOfTheHostIsTheRootOfTheMountedTree) {
  Write("proc/self/cgroup", "4:memory:/kubepods/pod1/c1\n");
  Write("sys/fs/cgroup/memory/memory.limit_in_bytes", "268435456\n");
  EXPECT_EQ(ContainerMemoryLimit(root_), 268435456U);
}

TEST_F(ContainerMemoryTest, WithoutCgroupsThereIsNoLimit) {
  EXPECT_EQ(ContainerMemoryLimit(root_), std::nullopt);
}

}  // namespace
}  // namespace outrigger::base
