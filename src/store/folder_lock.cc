#include "store/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace outrigger::store {
namespace {

base::Failure FailOf(const std::string& what) {
  return base::Fail({base::Code::kUnauthorized,
                     what + ": " + std::generic_category().message(errno),
                     "the folder of spool.path has to be there and writable", false});
}

std::string HolderOf(int descriptor) {
  std::array<char, 32> text{};
  const ssize_t size = pread(descriptor, text.data(), text.size(), 0);
  return size > 0 ? std::string(text.data(), static_cast<size_t>(size)) : std::string("?");
}

}  // namespace

base::Result<FolderLock> FolderLock::Take(const std::string& folder) {
  const std::string path = folder + "/outrigger.lock";
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return FailOf(path + " can't be opened");
  FolderLock lock(descriptor);
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return FailOf(path + " can't be locked");
    return base::Fail(
        {base::Code::kConflict,
         "the spool in " + folder + " belongs to the running process " + HolderOf(descriptor),
         "give each sidecar a spool.path of its own", false});
  }
  const std::string id = std::to_string(getpid());
  if (ftruncate(descriptor, 0) != 0 ||
      pwrite(descriptor, id.data(), id.size(), 0) != static_cast<ssize_t>(id.size()))
    return FailOf(path + " can't be written");
  return lock;
}

FolderLock::FolderLock(FolderLock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

FolderLock::~FolderLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace outrigger::store
