// A disk below SQLite that keeps only what was synced, and whose fsync can fail.
//
// What SQLite writes goes to its files, as ever; what it has synced is in a second folder, which is
// what the disk has after a power cut. At the cut each sector that was written and not synced has
// reached the disk or not, by chance. An fsync that fails drops what it should have written, as
// Linux does: the files still read as if it were there. It is the default VFS of the test program,
// and does nothing until a Disk is there. Thread: any; one Disk at a time, in a process of its own
// that ends with the cut.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <vector>

namespace outrigger::test {

class PowerCutDisk {
 public:
  // `calls`: after so many writes and syncs the power is cut. Of each `fail_of` syncs the last
  // `fail` ones fail; 0: none does.
  struct Faults {
    int seed = 0;
    int calls = 0;
    int fail = 0;
    int fail_of = 1;
  };
  PowerCutDisk(std::string disk, const Faults& faults);
  ~PowerCutDisk();

  void Wrote(const std::string& path, int64_t offset, std::string bytes);
  void Truncated(const std::string& path, int64_t size);
  void Deleted(const std::string& path, bool synced);
  // False: it fails.
  bool Sync(const std::string& path);

 private:
  struct Change {
    int64_t offset = 0;
    std::string bytes;
    bool truncates = false;  // to `offset`
  };
  using Changes = std::vector<Change>;

  void Count();
  [[noreturn]] void Cut();
  std::string OnDisk(const std::string& path) const;
  void Apply(const std::string& path, const Changes& changes) const;
  Changes SomeSectors(const Changes& changes);

  const std::string disk_;
  const Faults faults_;
  std::mutex mutex_;
  std::minstd_rand random_;
  int calls_ = 0;
  int syncs_ = 0;
  std::map<std::string, Changes> unsynced_;
};

}  // namespace outrigger::test
