// The lock on the spool's folder: one process at a time writes there.
//
// Thread: any. Lifetime: the lock ends with the object, and with the process however that ends.
// Source: flock(2).
#pragma once

#include <string>

#include "base/result.h"

namespace outrigger::store {

class FolderLock {
 public:
  // Fails when another process has it, and names that one's id.
  static base::Result<FolderLock> Take(const std::string& folder);

  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&&) = delete;
  ~FolderLock();

 private:
  explicit FolderLock(int descriptor) : descriptor_(descriptor) {}

  int descriptor_;
};

}  // namespace outrigger::store
