#include "store/checked_pages.h"

#include <sqlite3.h>

#include <array>
#include <cstring>

#include "store/sync_failures.h"

namespace outrigger::store {
namespace {

constexpr char kName[] = "outrigger";

constexpr int kLeastPage = 512;  // of any database; less is a part of a page

using Sums = std::array<uint32_t, 2>;
static_assert(sizeof(Sums) == kPageSumBytes);

// Those of a page of zeros are zeros: a page that was never written is whole.
Sums SumsOf(const unsigned char* page) {
  Sums sums{};
  for (size_t i = 0; i < kPageBytes - kPageSumBytes; i += 8) {
    uint32_t words[2];
    std::memcpy(words, page + i, sizeof words);
    sums[0] += words[0] + sums[1];
    sums[1] += words[1] + sums[0];
  }
  return sums;
}

bool IsPage(int size, sqlite3_int64 offset) {
  return size == kPageBytes && offset % kPageBytes == 0;
}

// The methods of the VFS below, and those with ours in place of two of them. The file is that of
// the VFS below, so all others work on it as they are.
sqlite3_vfs* below = nullptr;
sqlite3_io_methods methods_below;
sqlite3_io_methods methods;

int Read(sqlite3_file* file, void* bytes, int size, sqlite3_int64 offset) {
  const int result = methods_below.xRead(file, bytes, size, offset);
  if (result != SQLITE_OK || size < kLeastPage) return result;
  if (!IsPage(size, offset)) return SQLITE_IOERR_DATA;
  const PageBytes page(static_cast<const unsigned char*>(bytes), kPageBytes);
  return PageIsWhole(page) ? SQLITE_OK : SQLITE_IOERR_DATA;
}

int Write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  if (!IsPage(size, offset)) return methods_below.xWrite(file, bytes, size, offset);
  std::array<unsigned char, kPageBytes> page;
  std::memcpy(page.data(), bytes, kPageBytes);
  const Sums sums = SumsOf(page.data());
  std::memcpy(page.data() + kPageBytes - kPageSumBytes, sums.data(), kPageSumBytes);
  return methods_below.xWrite(file, page.data(), size, offset);
}

int Open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  const int result = below->xOpen(below, name, file, flags, out_flags);
  if (result != SQLITE_OK || (flags & SQLITE_OPEN_MAIN_DB) == 0) return result;
  static const bool taken = [file] {
    methods_below = *file->pMethods;
    methods = methods_below;
    methods.xRead = Read;
    methods.xWrite = Write;
    methods.iVersion = 2;  // what is mapped into memory is not read
    return true;
  }();
  if (taken) file->pMethods = &methods;
  return SQLITE_OK;
}

}  // namespace

const char* CheckedPages() {
  static const int registered = [] {
    below = SyncFailures();
    static sqlite3_vfs vfs = *below;
    vfs.zName = kName;
    vfs.xOpen = Open;
    return sqlite3_vfs_register(&vfs, 0);
  }();
  static_cast<void>(registered);
  return kName;
}

bool PageIsWhole(PageBytes page) {
  const Sums sums = SumsOf(page.data());
  return std::memcmp(sums.data(), page.data() + kPageBytes - kPageSumBytes, kPageSumBytes) == 0;
}

}  // namespace outrigger::store
