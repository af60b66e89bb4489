#include "store/spool_folder.h"

#include <chrono>
#include <utility>

#include "store/log_file.h"
#include "telemetry/log.h"

namespace outrigger::store {
namespace {

void Tell(const Salvage& salvage) {
  telemetry::Log(telemetry::Level::kError,
                 "the file of the spool was damaged; what is whole in it is in a new file",
                 {{"kept", salvage.kept},
                  {"rows", std::to_string(salvage.rows)},
                  {"quarantined", std::to_string(salvage.quarantined)},
                  {"damaged", std::to_string(salvage.damaged)},
                  {"lost", std::to_string(salvage.lost)}});
}

}  // namespace

base::Result<SpoolFolder> SpoolFolder::Take(const std::string& folder, int64_t log_pages) {
  auto lock = FolderLock::Take(folder);
  if (!lock) return base::Fail(lock.error());
  return SpoolFolder(folder, std::move(*lock), log_pages);
}

SpoolFolder::SpoolFolder(const std::string& folder, FolderLock lock, int64_t log_pages)
    : lock_(std::move(lock)),
      path_(folder + "/outrigger.db"),
      log_pages_(log_pages),
      reserve_(folder) {
  reserve_.Have(std::chrono::steady_clock::now());
}

base::Result<SpoolFile> SpoolFolder::OpenFile(bool damaged) {
  auto file = OpenOnce(damaged);
  if (file || file.error().code != base::Code::kUnavailable) return file;
  reserve_.GiveUp();
  return OpenOnce(damaged);
}

base::Result<SpoolFile> SpoolFolder::OpenOnce(bool damaged) {
  auto file = OpenSalvaged(damaged);
  if (!file) return file;
  if (auto copied = file->CopyLogMeanwhile(log_pages_); !copied) return base::Fail(copied.error());
  return file;
}

base::Result<SpoolFile> SpoolFolder::OpenSalvaged(bool damaged) {
  salvage_.reset();
  if (auto finished = FinishSalvage(path_); !finished) return base::Fail(finished.error());
  if (IsForeign(path_)) return base::Fail(NotOurs());
  if (auto written = WriteLogAgain(path_); !written) return base::Fail(written.error());
  if (!damaged && !LogIsDamaged(path_)) {
    auto file = OpenWhole();
    if (file || file.error().code != kDamaged) return file;
  }
  auto salvage = SalvageFile(path_);
  if (!salvage) return base::Fail(salvage.error());
  Tell(*salvage);
  salvage_ = std::move(*salvage);
  return OpenWhole();
}

}  // namespace outrigger::store
