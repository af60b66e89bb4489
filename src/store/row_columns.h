// The columns of a row, as the tables `spool` and `quarantine` have them (SCHEMA.md).
//
// Thread: that of the statement. Errors: none; a row that is not what was written is told.
#pragma once

#include <optional>
#include <string>

#include "store/row.h"
#include "store/sqlite.h"

namespace outrigger::store {

// For the text of a statement: the names, and a parameter for each.
extern const std::string kRowColumns;
extern const std::string kRowParameters;
inline constexpr int kRowColumnCount = 15;

// Binds the columns as the parameters from 1. `headers` are the encoded ones; both stay the
// caller's until the statement is reset.
void BindRow(Statement& statement, const Row& row, const std::optional<std::string>& headers);

// Reads the columns from the first on; `Columns` is a Statement or a RecordReader::Record. False:
// the row is damaged.
template <typename Columns>
bool ReadRow(const Columns& columns, Row& row);

}  // namespace outrigger::store
