// The file of the spool (SCHEMA.md): its tables, and the transactions that change them. The sidecar
// has it open through Store; a command opens that of a stopped one (with a FolderLock).
//
// Nothing is safe before Commit has returned. After any error the file is closed and opened again.
// Thread: one at a time. Errors: of the disk and of SQLite.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "store/checkpointer.h"
#include "store/quarantine_table.h"
#include "store/spool_table.h"
#include "store/sqlite.h"
#include "store/totals.h"

namespace outrigger::store {

// The error of a file that another program made.
base::Error NotOurs();

// What is left of a damaged file (salvage.h).
struct Salvage {
  std::string kept;  // the name of the damaged file now
  // The rows that came back, and those of which something is left: they are in the quarantine now.
  uint64_t rows = 0;
  uint64_t quarantined = 0;
  uint64_t damaged = 0;
  // Of which nothing is left, as far as the damaged file says how many it had.
  uint64_t lost = 0;
};

// What a file has when it is opened.
struct Contents {
  Totals::Topics topics;
  uint64_t records = 0;
  uint64_t bytes = 0;  // the sum of Row::bytes()
  int64_t last_id = 0;
  int64_t oldest_ms = 0;  // when the first row was accepted; 0: there is none
  uint64_t quarantined = 0;
  std::optional<Salvage> salvage;  // the file was damaged, and this is what is left of it
};

class SpoolFile {
 public:
  // More makes nothing faster.
  static constexpr uint64_t kCacheBytes = 8 << 20;

  // Makes the file where it is not there, and refuses one that is not ours or of a newer version.
  // `cache_bytes`: memory for its pages.
  static base::Result<SpoolFile> Open(const std::string& path, uint64_t cache_bytes = kCacheBytes);

  // As long as the log has at most so many pages, transactions do not wait until it is copied into
  // the database: that is done by a thread of its own, which ends with the file.
  static constexpr int64_t kLogPages = 4000;
  base::Result<void> CopyLogMeanwhile(int64_t log_pages = kLogPages);
  // What that thread failed with: the file is to be closed and opened again.
  std::optional<base::Error> log_error();

  // Rows may be put as long as all of it has at most `max_bytes`.
  base::Result<void> Begin(uint64_t max_bytes);
  // What was done since Begin is on the disk when it returns.
  base::Result<void> Commit();

  // Before rows are put: takes the room that they need. kTooLarge: the spool is full; kUnavailable:
  // the disk is.
  base::Result<void> TakeRoom(const std::vector<Row>& rows);

  SpoolTable& spool() { return spool_; }
  QuarantineTable& quarantine() { return quarantine_; }

  // Moves a row from the spool into the quarantine. False: the spool does not have it.
  base::Result<bool> Quarantine(int64_t id, const std::string& reason, const std::string& detail,
                                int64_t now_ms);
  // Moves a row back to the end of the spool, and returns it as it is there. Nothing: it is not in
  // the quarantine, or is damaged.
  base::Result<std::optional<Row>> Requeue(int64_t id);
  // Removes a row from the spool, and returns it. Nothing: it is not there, or is damaged.
  base::Result<std::optional<Row>> Drop(int64_t id);
  // The same in the quarantine, damaged rows included.
  base::Result<std::optional<Row>> DropQuarantined(int64_t id);

  base::Result<Contents> Count();
  // Of the file without what is free in it, and of the files beside it.
  base::Result<uint64_t> BytesUsed();
  // Empties the log.
  base::Result<void> Checkpoint();
  // Gives some of what is free in the file back to the disk. False: there was nothing.
  base::Result<bool> Shrink();

 private:
  SpoolFile(std::string path, std::unique_ptr<Database> database, SpoolTable spool,
            QuarantineTable quarantine);
  base::Result<void> MeasureRoom();
  base::Result<void> BoundLog();

  std::string path_;
  std::unique_ptr<Database> database_;
  SpoolTable spool_;
  QuarantineTable quarantine_;
  std::unique_ptr<Checkpointer> checkpointer_;
  int64_t log_pages_ = kLogPages;  // at most
  uint64_t max_bytes_ = 0;
  // What the transaction under way may still take.
  uint64_t spool_room_ = 0;
  uint64_t disk_room_ = 0;
  Statement begin_;
  Statement commit_;
  Statement pages_;
  Statement free_pages_;
};

}  // namespace outrigger::store
