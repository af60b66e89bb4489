// The pages of a database that SQLite can't be trusted with any more: its file, and the log beside
// it.
//
// A page has one image that is as it was committed, or is damaged; and further ones from the part
// of the log behind a frame that is damaged or was never completed. Thread: one at a time. Errors:
// of the disk. Source: sqlite.org/fileformat2.html, "WAL File Format", "Pointer Map Pages".
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/checked_pages.h"
#include "store/descriptor.h"

namespace outrigger::store {

class DamagedPages {
 public:
  // `path`: of the database.
  static base::Result<DamagedPages> Open(const std::string& path);

  struct Image {
    std::array<unsigned char, kPageBytes> bytes{};
    bool whole = false;
    bool late = false;  // from behind the damage in the log
  };
  uint32_t count() const { return count_; }
  // Pages count from 1. The committed image comes first.
  std::vector<Image> ImagesOf(uint32_t page) const;
  // The image that belongs to one that is `late` or not.
  Image ImageOf(uint32_t page, bool late) const;
  // It is in no table. False where that is not known.
  bool IsFree(uint32_t page) const;

  // The log is damaged before its last transaction, which SQLite takes for its end.
  bool log_is_cut() const { return late_commits_ > 1; }

 private:
  void ReadLog();
  Image Committed(uint32_t page) const;
  Image Frame(uint64_t offset) const;

  Descriptor database_;
  Descriptor log_;
  uint32_t count_ = 0;
  std::map<uint32_t, uint64_t> frames_;                    // the committed ones, by page
  std::map<uint32_t, std::vector<uint64_t>> late_frames_;  // those behind
  int late_commits_ = 0;
};

}  // namespace outrigger::store
