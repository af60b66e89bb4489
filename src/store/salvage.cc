#include "store/salvage.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <map>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "store/damaged_pages.h"
#include "store/descriptor.h"
#include "store/record_reader.h"
#include "store/row_columns.h"
#include "store/spool_file.h"

namespace outrigger::store {
namespace {

namespace fs = std::filesystem;

constexpr size_t kTotalsColumns = 3;
constexpr size_t kSequenceColumns = 2;
constexpr size_t kQuarantineColumns = kRowColumnCount + 3;
constexpr uint64_t kRowsInTransaction = 1000;

// Not complete, and complete.
std::string Unfinished(const std::string& path) { return path + ".salvaging"; }
std::string Finished(const std::string& path) { return path + ".salvaged"; }

base::Failure FailOf(const std::string& what, const std::error_code& error) {
  return base::Fail({base::Code::kInternal, what + ": " + error.message(),
                     "the damaged file of the spool stays where it is", true});
}

int64_t NowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string UtcTime(int64_t ms) {
  const std::time_t seconds = ms / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &parts)};
}

// Copies the rows of a damaged file into a new one.
class Copy {
 public:
  Copy(const DamagedPages& pages, SpoolFile& to, int64_t now_ms)
      : pages_(pages), to_(to), now_ms_(now_ms) {}

  base::Result<Salvage> Run() {
    // First all that is whole: of a damaged row there may be a whole one on another page.
    if (auto copied = EachPage(true); !copied) return base::Fail(copied.error());
    if (auto copied = EachPage(false); !copied) return base::Fail(copied.error());
    const uint64_t there = salvage_.rows + salvage_.damaged;
    uint64_t expected = 0;
    for (const auto& [topic, records] : totals_) expected += records;
    salvage_.lost = expected > there ? expected - there : 0;
    return salvage_;
  }

 private:
  base::Result<void> EachPage(bool whole) {
    const RecordReader reader(pages_);
    base::Result<void> done = to_.Begin(UINT64_MAX);
    for (uint32_t page = 1; done && page <= pages_.count(); ++page) {
      if (pages_.IsFree(page)) continue;
      reader.VisitPage(page, [&](const RecordReader::Record& record) {
        if (done) done = whole ? Whole(record) : Damaged(record);
      });
      if (done && in_transaction_ >= kRowsInTransaction) {
        in_transaction_ = 0;
        done = to_.Commit();
        if (done) done = to_.Begin(UINT64_MAX);
      }
    }
    if (done && whole) done = to_.spool().RestoreLastId(last_id_);
    return done ? to_.Commit() : done;
  }

  base::Result<void> Whole(const RecordReader::Record& record) {
    const size_t columns = record.values.size();
    if (columns == kSequenceColumns && record.Text(0) == "spool" && record.whole_page)
      last_id_ = std::max(last_id_, record.Number(1));
    if (columns == kTotalsColumns && record.whole_page)
      totals_[record.Text(0)] = static_cast<uint64_t>(std::max<int64_t>(record.Number(1), 0));
    if (columns != kRowColumnCount && columns != kQuarantineColumns) return {};
    QuarantinedRow row;
    if (!ReadRow(record, row.row)) return {};
    if (columns == kRowColumnCount) return Count(to_.spool().Restore(row.row), salvage_.rows);
    row.reason = record.Text(kRowColumnCount);
    row.detail = record.Text(kRowColumnCount + 1);
    row.quarantined_ms = record.Number(kRowColumnCount + 2);
    return Count(to_.quarantine().Restore(row, 0), salvage_.quarantined);
  }

  base::Result<void> Damaged(const RecordReader::Record& record) {
    const size_t columns = record.values.size();
    if (!record.listed || (columns != kRowColumnCount && columns != kQuarantineColumns)) return {};
    QuarantinedRow row;
    row.reason = "damaged";
    row.detail = "the disk has changed the row";
    row.quarantined_ms = now_ms_;
    row.damaged = true;
    if (ReadRow(record, row.row)) return {};
    const auto there = to_.spool().Has(row.row.id);
    if (!there) return base::Fail(there.error());
    if (*there) return {};
    return Count(to_.quarantine().Restore(row, record.Number(1)), salvage_.damaged);
  }

  base::Result<void> Count(const base::Result<bool>& restored, uint64_t& count) {
    if (!restored) return base::Fail(restored.error());
    if (!*restored) return {};
    ++count;
    ++in_transaction_;
    return {};
  }

  const DamagedPages& pages_;
  SpoolFile& to_;
  const int64_t now_ms_;
  Salvage salvage_;
  std::map<std::string, uint64_t> totals_;  // the records of each topic
  int64_t last_id_ = 0;
  uint64_t in_transaction_ = 0;
};

base::Result<Salvage> CopyInto(const std::string& to, const std::string& from, int64_t now_ms) {
  auto pages = DamagedPages::Open(from);
  if (!pages) return base::Fail(pages.error());
  auto file = SpoolFile::Open(to);
  if (!file) return base::Fail(file.error());
  auto salvage = Copy(*pages, *file, now_ms).Run();
  if (!salvage) return salvage;
  if (auto closed = file->Checkpoint(); !closed) return base::Fail(closed.error());
  return salvage;
}

base::Result<void> Rename(const std::string& from, const std::string& to) {
  std::error_code failed;
  fs::rename(from, to, failed);
  if (failed) return FailOf(from + " can't be renamed to " + to, failed);
  const Descriptor folder(
      open(fs::path(to).parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.number() < 0 || fsync(folder.number()) != 0)
    return FailOf("the folder of " + to + " can't be written",
                  std::error_code(errno, std::generic_category()));
  return {};
}

// A name that is not taken.
std::string KeptName(const std::string& path, int64_t now_ms) {
  const std::string name = path + ".damaged-" + UtcTime(now_ms);
  std::string free = name;
  for (int i = 2; fs::exists(free) || fs::exists(free + "-wal"); ++i)
    free = name + "-" + std::to_string(i);
  return free;
}

base::Result<void> Replace(const std::string& path, const std::string& kept) {
  std::error_code ignored;
  fs::remove(path + "-shm", ignored);
  if (fs::exists(path + "-wal"))
    if (auto renamed = Rename(path + "-wal", kept + "-wal"); !renamed) return renamed;
  if (fs::exists(path))
    if (auto renamed = Rename(path, kept); !renamed) return renamed;
  return Rename(Finished(path), path);
}

void RemoveUnfinished(const std::string& path) {
  std::error_code ignored;
  for (const char* suffix : {"", "-wal", "-shm", "-journal"})
    fs::remove(Unfinished(path) + suffix, ignored);
}

}  // namespace

base::Result<Salvage> SalvageFile(const std::string& path) {
  const int64_t now_ms = NowMs();
  RemoveUnfinished(path);
  auto salvage = CopyInto(Unfinished(path), path, now_ms);
  if (!salvage) {
    RemoveUnfinished(path);
    base::Error error = salvage.error();
    error.message =
        "the file of the spool is damaged, and a new one can't be made from it: " + error.message;
    return base::Fail(std::move(error));
  }
  salvage->kept = KeptName(path, now_ms);
  if (auto renamed = Rename(Unfinished(path), Finished(path)); !renamed)
    return base::Fail(renamed.error());
  if (auto replaced = Replace(path, salvage->kept); !replaced) return base::Fail(replaced.error());
  return salvage;
}

base::Result<void> FinishSalvage(const std::string& path) {
  RemoveUnfinished(path);
  if (!fs::exists(Finished(path))) return {};
  return Replace(path, KeptName(path, NowMs()));
}

bool IsForeign(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  char head[100];
  if (file.number() < 0 || pread(file.number(), head, sizeof head, 0) != sizeof head) return false;
  const std::string_view bytes(head, sizeof head);
  return bytes.starts_with(std::string_view("SQLite format 3\0", 16)) &&
         bytes[20] != static_cast<char>(kPageSumBytes) && bytes.substr(68, 4) != "OTRG";
}

bool LogIsDamaged(const std::string& path) {
  if (!fs::exists(path) || !fs::exists(path + "-wal")) return false;
  const auto pages = DamagedPages::Open(path);
  return pages && pages->log_is_cut();
}

}  // namespace outrigger::store
