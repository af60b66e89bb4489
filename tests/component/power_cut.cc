#include "support/power_cut.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <utility>

namespace outrigger::test {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kSector = 512;

PowerCutDisk* disk = nullptr;

// ---- the VFS

sqlite3_vfs* below = nullptr;
sqlite3_vfs vfs;
struct Opened {
  std::string path;
  const sqlite3_io_methods* methods_below = nullptr;
};
std::mutex mutex;
std::map<sqlite3_file*, Opened> files;
// By those that are theirs: the kinds of files have different ones.
std::map<const sqlite3_io_methods*, sqlite3_io_methods> all_methods;

Opened Of(sqlite3_file* file) {
  const std::lock_guard lock(mutex);
  return files[file];
}

int Write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  const int result = Of(file).methods_below->xWrite(file, bytes, size, offset);
  if (result == SQLITE_OK && disk != nullptr)
    disk->Wrote(Of(file).path, offset,
                std::string(static_cast<const char*>(bytes), static_cast<size_t>(size)));
  return result;
}

int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  const int result = Of(file).methods_below->xTruncate(file, size);
  if (result == SQLITE_OK && disk != nullptr) disk->Truncated(Of(file).path, size);
  return result;
}

int Sync(sqlite3_file* file, int flags) {
  if (disk == nullptr) return Of(file).methods_below->xSync(file, flags);
  return disk->Sync(Of(file).path) ? SQLITE_OK : SQLITE_IOERR_FSYNC;
}

int Open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  const int result = below->xOpen(below, name, file, flags, out_flags);
  if (result != SQLITE_OK) return result;
  const std::lock_guard lock(mutex);
  const sqlite3_io_methods* theirs = file->pMethods;
  sqlite3_io_methods& ours = all_methods.try_emplace(theirs, *theirs).first->second;
  ours.xWrite = Write;
  ours.xTruncate = Truncate;
  ours.xSync = Sync;
  file->pMethods = &ours;
  files[file] = {name != nullptr ? name : "", theirs};
  return SQLITE_OK;
}

int Delete(sqlite3_vfs*, const char* name, int sync_folder) {
  const int result = below->xDelete(below, name, sync_folder);
  if (result == SQLITE_OK && disk != nullptr) disk->Deleted(name, sync_folder != 0);
  return result;
}

// Before the first database is opened.
[[maybe_unused]] const int registered = [] {
  below = sqlite3_vfs_find(nullptr);
  vfs = *below;
  vfs.zName = "power-cut";
  vfs.xOpen = Open;
  vfs.xDelete = Delete;
  return sqlite3_vfs_register(&vfs, 1);
}();

}  // namespace

// ---- the disk

PowerCutDisk::PowerCutDisk(std::string disk_folder, const Faults& faults)
    : disk_(std::move(disk_folder)), faults_(faults), random_(static_cast<uint32_t>(faults.seed)) {
  disk = this;
}

PowerCutDisk::~PowerCutDisk() { disk = nullptr; }

void PowerCutDisk::Wrote(const std::string& path, int64_t offset, std::string bytes) {
  const std::lock_guard lock(mutex_);
  unsynced_[path].push_back({offset, std::move(bytes)});
  Count();
}

void PowerCutDisk::Truncated(const std::string& path, int64_t size) {
  const std::lock_guard lock(mutex_);
  unsynced_[path].push_back({size, {}, true});
}

// What was not synced of it goes with it; whether the file itself is gone after a cut
// is chance, unless its folder was synced.
void PowerCutDisk::Deleted(const std::string& path, bool synced) {
  const std::lock_guard lock(mutex_);
  unsynced_.erase(path);
  if (synced || random_() % 2 == 0) fs::remove(OnDisk(path));
}

bool PowerCutDisk::Sync(const std::string& path) {
  const std::lock_guard lock(mutex_);
  Count();
  const Changes changes = std::exchange(unsynced_[path], {});
  if (syncs_++ % faults_.fail_of >= faults_.fail_of - faults_.fail) return false;
  Apply(path, changes);
  return true;
}

void PowerCutDisk::Count() {
  if (++calls_ == faults_.calls) Cut();
}

void PowerCutDisk::Cut() {
  for (const auto& [path, changes] : unsynced_) Apply(path, SomeSectors(changes));
  _exit(0);
}

PowerCutDisk::Changes PowerCutDisk::SomeSectors(const Changes& changes) {
  Changes some;
  for (const Change& change : changes) {
    if (change.truncates) {
      if (random_() % 2 == 0) some.push_back(change);
      continue;
    }
    const auto end = change.offset + static_cast<int64_t>(change.bytes.size());
    for (int64_t at = change.offset; at < end;) {
      const int64_t next = std::min(end, (at / kSector + 1) * kSector);
      if (random_() % 2 == 0)
        some.push_back({at, change.bytes.substr(static_cast<size_t>(at - change.offset),
                                                static_cast<size_t>(next - at))});
      at = next;
    }
  }
  return some;
}

std::string PowerCutDisk::OnDisk(const std::string& path) const {
  return disk_ + "/" + fs::path(path).filename().string();
}

void PowerCutDisk::Apply(const std::string& path, const Changes& changes) const {
  const int file = open(OnDisk(path).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  for (const Change& change : changes) {
    const bool done = change.truncates
                          ? ftruncate(file, change.offset) == 0
                          : pwrite(file, change.bytes.data(), change.bytes.size(), change.offset) ==
                                static_cast<ssize_t>(change.bytes.size());
    if (!done) _exit(2);
  }
  close(file);
}

}  // namespace outrigger::test
