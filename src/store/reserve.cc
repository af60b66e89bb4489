#include "store/reserve.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <system_error>

#include "store/descriptor.h"

namespace outrigger::store {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kBytes = 2 << 20;
constexpr std::chrono::milliseconds kTryAgain{500};

}  // namespace

bool Reserve::Have(base::TimePoint now) {
  if (there_ || now < next_try_) return there_;
  next_try_ = now + kTryAgain;
  there_ = Make();
  return there_;
}

bool Reserve::Make() const {
  std::error_code failed;
  if (fs::file_size(path_, failed) == kBytes && !failed) return true;
  const fs::space_info space = fs::space(fs::path(path_).parent_path(), failed);
  if (failed || space.available < 2 * kBytes) return false;
  const Descriptor file(open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (file.number() >= 0 && posix_fallocate(file.number(), 0, kBytes) == 0) return true;
  fs::remove(path_, failed);
  return false;
}

void Reserve::GiveUp() {
  std::error_code ignored;
  fs::remove(path_, ignored);
  there_ = false;
}

}  // namespace outrigger::store
