// The folder of spool.path, locked for this process: the file of the spool, opened whatever has
// happened to it, and the reserve.
//
// Thread: one at a time. Lifetime: the lock ends with it; the file is closed before.
// Errors: the folder can't be used or belongs to another process; kConflict: the file is another
// program's; kUnsupported: it is of a newer version; those of the disk.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "store/folder_lock.h"
#include "store/reserve.h"
#include "store/salvage.h"
#include "store/spool_file.h"

namespace outrigger::store {

class SpoolFolder {
 public:
  // `log_pages`: as in SpoolFile::CopyLogMeanwhile.
  static base::Result<SpoolFolder> Take(const std::string& folder,
                                        int64_t log_pages = SpoolFile::kLogPages);

  // Of each file that is opened from here on.
  void SetCacheBytes(uint64_t bytes) { cache_bytes_ = bytes; }
  // A damaged file is kept under another name, and what is whole in it is in the file that is
  // opened. `damaged`: an error of the file that was open before has said so.
  base::Result<SpoolFile> OpenFile(bool damaged = false);
  // What the last OpenFile had to do.
  const std::optional<Salvage>& salvage() const { return salvage_; }

  Reserve& reserve() { return reserve_; }

 private:
  SpoolFolder(const std::string& folder, FolderLock lock, int64_t log_pages);
  base::Result<SpoolFile> OpenSalvaged(bool damaged);
  base::Result<SpoolFile> OpenOnce(bool damaged);
  base::Result<SpoolFile> OpenWhole() const { return SpoolFile::Open(path_, cache_bytes_); }

  FolderLock lock_;
  std::string path_;  // of the file
  uint64_t cache_bytes_ = SpoolFile::kCacheBytes;
  int64_t log_pages_;
  Reserve reserve_;
  std::optional<Salvage> salvage_;
};

}  // namespace outrigger::store
