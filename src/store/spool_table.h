// The table `spool` of an open file (SCHEMA.md): rows come, are read in order, and leave.
//
// Thread: one at a time. Lifetime: the database outlives it. Errors: of the disk and of SQLite;
// after any of them the file is closed and opened again.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "store/row.h"
#include "store/sqlite.h"
#include "store/totals.h"

namespace outrigger::store {

// Where a row that was put is.
struct Placed {
  enum class Kind {
    kNew,
    kRepeat,    // the spool has it already, as row `id`
    kConflict,  // row `id` has the same event id, source and target, and says something else
  };
  int64_t id = 0;
  Kind kind = Kind::kNew;

  bool operator==(const Placed&) const = default;
};

class SpoolTable {
 public:
  static base::Result<SpoolTable> Open(Database& database);

  // Gives the row its id and inserts it, unless its event is there already, which is only looked
  // for where the row has a source.
  base::Result<Placed> Put(Row& row);
  // Where the event of a row is already. An id of 0: it is not there, or is not looked for.
  base::Result<Placed> FindSame(const Row& row);
  // As Put, whatever is there.
  base::Result<void> Append(Row& row);
  // Inserts a row with the id that it has. False: that id is there.
  base::Result<bool> Restore(const Row& row);
  // No row gets an id up to `last_id` any more.
  base::Result<void> RestoreLastId(int64_t last_id);
  // A row that is not there is none to remove.
  base::Result<void> Remove(int64_t id);
  // Writes what belongs to the rows put and removed, before their transaction is committed.
  base::Result<void> Finish() { return totals_.Save(); }

  struct Page {
    std::vector<Row> rows;
    std::vector<int64_t> damaged;  // ids of rows whose checksum is wrong
  };
  // The rows behind `after`, in order: at most so many, and no more once they have so many bytes.
  base::Result<Page> Read(int64_t after, size_t most_rows, size_t most_bytes);
  base::Result<bool> Has(int64_t id);
  // Those of an event id, whole ones only.
  base::Result<std::vector<Row>> Find(const std::string& event_id);

  const Totals& totals() const { return totals_; }
  // The last id that was given to a row.
  int64_t last_id() const { return last_id_; }

 private:
  explicit SpoolTable(Totals totals) : totals_(std::move(totals)) {}

  Totals totals_;
  int64_t last_id_ = 0;
  Statement insert_;
  Statement restore_;
  Statement restore_last_;
  Statement remove_;
  Statement read_;
  Statement has_;
  Statement find_;
  Statement same_;
};

}  // namespace outrigger::store
