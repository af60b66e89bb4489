// The table `quarantine` of an open file (SCHEMA.md): rows that Kafka rejected for good and that no
// dead-letter topic took, or that are damaged, until somebody decides about them.
//
// Thread: one at a time. Lifetime: the database outlives it. Errors: as SpoolTable.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "store/row.h"
#include "store/sqlite.h"

namespace outrigger::store {

struct QuarantinedRow {
  Row row;
  std::string reason;          // a word
  std::string detail;          // a sentence
  int64_t quarantined_ms = 0;  // since 1970
  bool damaged = false;        // its checksum is wrong: the columns are not what was written
};

class QuarantineTable {
 public:
  static base::Result<QuarantineTable> Open(Database& database);

  // Copies the row `id` of the table `spool`, as it is. False: it is not there.
  base::Result<bool> Copy(int64_t id, const std::string& reason, const std::string& detail,
                          int64_t now_ms);
  // Inserts a row with the id and, where it is damaged, the checksum that it has. False: that id is
  // there.
  base::Result<bool> Restore(const QuarantinedRow& row, int64_t checksum);
  // Whether it was there.
  base::Result<bool> Remove(int64_t id);
  // Those behind `after`, in the order of their ids: at most so many, and no more once they have so
  // many bytes.
  base::Result<std::vector<QuarantinedRow>> List(int64_t after, size_t most_rows,
                                                 size_t most_bytes);
  base::Result<std::optional<QuarantinedRow>> Get(int64_t id);
  base::Result<std::vector<QuarantinedRow>> Find(const std::string& event_id);

 private:
  QuarantineTable() = default;

  Statement copy_;
  Statement restore_;
  Statement remove_;
  Statement list_;
  Statement find_;
};

}  // namespace outrigger::store
