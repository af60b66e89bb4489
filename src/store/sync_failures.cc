#include "store/sync_failures.h"

#include <atomic>
#include <cerrno>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <string>

namespace outrigger::store {
namespace {

// What the connections of one database share.
struct Syncs {
  std::atomic<int> failed = 0;  // the errno of the first one that failed
  std::mutex of_log;            // whose fsync writes what each connection has written
};

// Behind the file of the VFS below.
struct Ours {
  const sqlite3_io_methods* methods_below;
  std::shared_ptr<Syncs> syncs;
  bool is_log;
};

sqlite3_vfs* below = nullptr;
std::mutex mutex;  // of these two
std::map<std::string, std::weak_ptr<Syncs>> all_syncs;
// By those below: the kinds of files have different ones.
std::map<const sqlite3_io_methods*, sqlite3_io_methods> all_methods;

Ours& Of(sqlite3_file* file) {
  return *std::launder(reinterpret_cast<Ours*>(reinterpret_cast<char*>(file) + below->szOsFile));
}

int SyncOnce(sqlite3_file* file, int flags) {
  Ours& ours = Of(file);
  int result = SQLITE_OK;
  if (ours.syncs->failed == 0) {
    result = ours.methods_below->xSync(file, flags);
    if (result != SQLITE_OK) ours.syncs->failed = errno != 0 ? errno : EIO;
  }
  if (ours.syncs->failed == 0) return SQLITE_OK;
  errno = ours.syncs->failed;
  return result != SQLITE_OK ? result : SQLITE_IOERR_FSYNC;
}

int Sync(sqlite3_file* file, int flags) {
  if (!Of(file).is_log) return SyncOnce(file, flags);
  const std::lock_guard lock(Of(file).syncs->of_log);
  return SyncOnce(file, flags);
}

int Close(sqlite3_file* file) {
  const sqlite3_io_methods* methods_below = Of(file).methods_below;
  Of(file).~Ours();
  return methods_below->xClose(file);
}

int Open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  const int result = below->xOpen(below, name, file, flags, out_flags);
  const bool is_log = (flags & SQLITE_OPEN_WAL) != 0;
  if (result != SQLITE_OK || (!is_log && (flags & SQLITE_OPEN_MAIN_DB) == 0)) return result;
  const std::lock_guard lock(mutex);
  std::weak_ptr<Syncs>& known = all_syncs[is_log ? sqlite3_filename_database(name) : name];
  std::shared_ptr<Syncs> syncs = known.lock();
  if (!syncs) known = syncs = std::make_shared<Syncs>();
  auto& methods = all_methods.try_emplace(file->pMethods, *file->pMethods).first->second;
  methods.xSync = Sync;
  methods.xClose = Close;
  new (&Of(file)) Ours{file->pMethods, std::move(syncs), is_log};
  file->pMethods = &methods;
  return SQLITE_OK;
}

}  // namespace

sqlite3_vfs* SyncFailures() {
  static sqlite3_vfs vfs = [] {
    below = sqlite3_vfs_find(nullptr);
    sqlite3_vfs ours = *below;
    ours.szOsFile += static_cast<int>(sizeof(Ours));
    ours.xOpen = Open;
    return ours;
  }();
  return &vfs;
}

}  // namespace outrigger::store
