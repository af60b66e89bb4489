#include "store/quarantine_table.h"

#include <utility>

#include "store/row_columns.h"

namespace outrigger::store {
namespace {

base::Result<std::vector<QuarantinedRow>> ReadAll(Statement& statement,
                                                  size_t most_bytes = SIZE_MAX) {
  size_t bytes = 0;
  std::vector<QuarantinedRow> rows;
  base::Result<bool> stepped;
  while ((stepped = statement.Step()) && *stepped) {
    QuarantinedRow& row = rows.emplace_back();
    row.damaged = !ReadRow(statement, row.row);
    row.reason = statement.Text(kRowColumnCount);
    row.detail = statement.Text(kRowColumnCount + 1);
    row.quarantined_ms = statement.Number(kRowColumnCount + 2);
    bytes += row.row.bytes();
    if (bytes >= most_bytes) break;
  }
  statement.Reset();
  if (!stepped) return base::Fail(stepped.error());
  return rows;
}

}  // namespace

base::Result<QuarantineTable> QuarantineTable::Open(Database& database) {
  QuarantineTable table;
  const std::string columns = kRowColumns + ", reason, detail, quarantined_ms ";
  const std::string select = "SELECT " + columns + "FROM quarantine ";
  auto prepared = database.Prepare({
      {&table.copy_, "INSERT INTO quarantine (" + columns + ") SELECT " + kRowColumns +
                         ", ?, ?, ? FROM spool WHERE id = ? RETURNING id"},
      {&table.restore_, "INSERT OR IGNORE INTO quarantine (" + columns + ") VALUES (" +
                            kRowParameters + ", ?, ?, ?) RETURNING id"},
      {&table.remove_, "DELETE FROM quarantine WHERE id = ? RETURNING id"},
      {&table.list_, select + "WHERE id > ? ORDER BY id LIMIT ?"},
      {&table.find_, select + "WHERE event_id = ? ORDER BY id"},
  });
  if (!prepared) return base::Fail(prepared.error());
  return table;
}

base::Result<bool> QuarantineTable::Copy(int64_t id, const std::string& reason,
                                         const std::string& detail, int64_t now_ms) {
  copy_.Bind(1, reason);
  copy_.Bind(2, detail);
  copy_.Bind(3, now_ms);
  copy_.Bind(4, id);
  auto copied = copy_.Step();
  copy_.Reset();
  return copied;
}

base::Result<bool> QuarantineTable::Restore(const QuarantinedRow& row, int64_t checksum) {
  const std::optional<std::string> headers = EncodeHeaders(row.row.record.headers);
  BindRow(restore_, row.row, headers);
  if (row.damaged) restore_.Bind(2, checksum);
  restore_.Bind(kRowColumnCount + 1, row.reason);
  restore_.Bind(kRowColumnCount + 2, row.detail);
  restore_.Bind(kRowColumnCount + 3, row.quarantined_ms);
  auto inserted = restore_.Step();
  restore_.Reset();
  return inserted;
}

base::Result<bool> QuarantineTable::Remove(int64_t id) {
  remove_.Bind(1, id);
  auto removed = remove_.Step();
  remove_.Reset();
  return removed;
}

base::Result<std::vector<QuarantinedRow>> QuarantineTable::List(int64_t after, size_t most_rows,
                                                                size_t most_bytes) {
  list_.Bind(1, after);
  list_.Bind(2, static_cast<int64_t>(most_rows));
  return ReadAll(list_, most_bytes);
}

base::Result<std::optional<QuarantinedRow>> QuarantineTable::Get(int64_t id) {
  auto rows = List(id - 1, 1, 0);
  if (!rows) return base::Fail(rows.error());
  if (rows->empty() || rows->front().row.id != id) return std::nullopt;
  return std::move(rows->front());
}

base::Result<std::vector<QuarantinedRow>> QuarantineTable::Find(const std::string& event_id) {
  find_.Bind(1, event_id);
  return ReadAll(find_);
}

}  // namespace outrigger::store
