// The table `spool` of an open file (SCHEMA.md): rows come, are read in order, and leave.
//
// Nothing is safe before Commit has returned. After any error the file is closed and opened again.
// Thread: one at a time. Errors: of the disk and of SQLite.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "store/row.h"
#include "store/sqlite.h"

namespace outrigger::store {

class SpoolTable {
 public:
  // Makes the file and the table where they are not there, and refuses a file that is not ours or
  // of a newer version.
  static base::Result<SpoolTable> Open(const std::string& path);

  base::Result<void> Begin();
  // Gives the row its id.
  base::Result<void> Insert(Row& row);
  base::Result<void> Remove(int64_t id);
  // What was done since Begin is on the disk when it returns.
  base::Result<void> Commit();

  struct Page {
    std::vector<Row> rows;
    std::vector<int64_t> damaged;  // ids of rows whose checksum is wrong
  };
  // The rows behind `after`, in order: at most so many, and no more once they have so many bytes.
  base::Result<Page> Read(int64_t after, size_t most_rows, size_t most_bytes);

  base::Result<int64_t> Count();
  // Of the database, without what was freed in it.
  base::Result<int64_t> BytesUsed();

 private:
  explicit SpoolTable(Database database) : database_(std::move(database)) {}
  base::Result<void> Prepare();

  Database database_;
  Statement begin_;
  Statement insert_;
  Statement remove_;
  Statement commit_;
  Statement read_;
};

}  // namespace outrigger::store
