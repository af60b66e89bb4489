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

base::Result<SpoolFolder> SpoolFolder::Take(const std::string& folder) {
  auto lock = FolderLock::Take(folder);
  if (!lock) return base::Fail(lock.error());
  return SpoolFolder(folder, std::move(*lock));
}

SpoolFolder::SpoolFolder(const std::string& folder, FolderLock lock)
    : lock_(std::move(lock)), path_(folder + "/outrigger.db"), reserve_(folder) {
  reserve_.Have(std::chrono::steady_clock::now());
}

base::Result<SpoolFile> SpoolFolder::OpenFile(bool damaged) {
  auto file = OpenOnce(damaged);
  if (file || file.error().code != base::Code::kUnavailable) return file;
  reserve_.GiveUp();
  return OpenOnce(damaged);
}

base::Result<SpoolFile> SpoolFolder::OpenOnce(bool damaged) {
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
