#include "store/log_file.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <vector>

namespace outrigger::store {
namespace {

constexpr int kChunk = 1 << 16;

// A file as SQLite opens it.
class OpenLog {
 public:
  explicit OpenLog(const std::string& path)
      : vfs_(sqlite3_vfs_find(nullptr)),
        names_(sqlite3_create_filename(path.c_str(), (path + "-journal").c_str(),
                                       (path + "-wal").c_str(), 0, nullptr)),
        memory_(std::make_unique<std::max_align_t[]>(
            static_cast<size_t>(vfs_->szOsFile) / sizeof(std::max_align_t) + 1)),
        opened_(vfs_->xOpen(vfs_, sqlite3_filename_wal(names_), file(),
                            SQLITE_OPEN_READWRITE | SQLITE_OPEN_WAL, nullptr)) {}
  OpenLog(const OpenLog&) = delete;
  OpenLog& operator=(const OpenLog&) = delete;
  ~OpenLog() {
    if (file()->pMethods != nullptr) file()->pMethods->xClose(file());
    sqlite3_free_filename(names_);
  }

  // A result code of SQLite.
  int WriteAgain() {
    sqlite3_int64 size = 0;
    if (opened_ != SQLITE_OK) return opened_;
    int result = file()->pMethods->xFileSize(file(), &size);
    std::vector<char> bytes(kChunk);
    for (sqlite3_int64 at = 0; result == SQLITE_OK && at < size; at += kChunk) {
      const int count = static_cast<int>(std::min<sqlite3_int64>(kChunk, size - at));
      result = file()->pMethods->xRead(file(), bytes.data(), count, at);
      if (result == SQLITE_OK) result = file()->pMethods->xWrite(file(), bytes.data(), count, at);
    }
    return result == SQLITE_OK ? file()->pMethods->xSync(file(), SQLITE_SYNC_NORMAL) : result;
  }

 private:
  sqlite3_file* file() const { return reinterpret_cast<sqlite3_file*>(memory_.get()); }

  sqlite3_vfs* vfs_;
  sqlite3_filename names_;
  std::unique_ptr<std::max_align_t[]> memory_;
  int opened_;
};

}  // namespace

base::Result<void> WriteLogAgain(const std::string& path) {
  if (!std::filesystem::exists(path + "-wal")) return {};
  const int result = OpenLog(path).WriteAgain();
  if (result == SQLITE_OK) return {};
  return base::Fail({base::Code::kInternal,
                     path + "-wal can't be written again: " + sqlite3_errstr(result),
                     "look at the disk of spool.path", true});
}

}  // namespace outrigger::store
