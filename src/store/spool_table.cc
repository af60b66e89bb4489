#include "store/spool_table.h"

#include <algorithm>
#include <utility>

#include "store/row_columns.h"

namespace outrigger::store {

base::Result<SpoolTable> SpoolTable::Open(Database& database) {
  auto totals = Totals::Load(database);
  if (!totals) return base::Fail(totals.error());
  SpoolTable table(std::move(*totals));
  const std::string select = "SELECT " + kRowColumns + " FROM spool ";
  auto prepared = database.Prepare({
      {&table.insert_, "INSERT INTO spool (" + kRowColumns + ") VALUES (" + kRowParameters + ")"},
      {&table.restore_, "INSERT OR IGNORE INTO spool (" + kRowColumns + ") VALUES (" +
                            kRowParameters + ") RETURNING id"},
      {&table.restore_last_,
       "INSERT OR REPLACE INTO sqlite_sequence (rowid, name, seq) VALUES "
       "((SELECT rowid FROM sqlite_sequence WHERE name = 'spool'), 'spool', ?)"},
      {&table.has_, "SELECT 1 FROM spool WHERE id = ?"},
      {&table.remove_, "DELETE FROM spool WHERE id = ? RETURNING topic, bytes"},
      {&table.read_, select + "WHERE id > ? ORDER BY id LIMIT ?"},
      {&table.find_, select + "WHERE event_id = ? ORDER BY id"},
      {&table.same_,
       "SELECT id, fingerprint FROM spool WHERE event_id = ? AND source = ? AND target = ?"},
  });
  if (!prepared) return base::Fail(prepared.error());
  const auto last_id = database.Number(
      "SELECT max(coalesce((SELECT max(id) FROM spool), 0), "
      "coalesce((SELECT max(id) FROM quarantine), 0), "
      "coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'spool'), 0))");
  if (!last_id) return base::Fail(last_id.error());
  table.last_id_ = *last_id;
  return table;
}

base::Result<Placed> SpoolTable::Put(Row& row) {
  auto same = FindSame(row);
  if (!same || same->id != 0) return same;
  if (auto inserted = Append(row); !inserted) return base::Fail(inserted.error());
  return Placed{row.id, Placed::Kind::kNew};
}

base::Result<Placed> SpoolTable::FindSame(const Row& row) {
  if (row.source.empty()) return Placed{};
  same_.Bind(1, row.event_id);
  same_.Bind(2, row.source);
  same_.Bind(3, int64_t{row.target});
  const auto stepped = same_.Step();
  Placed placed;
  if (stepped && *stepped) {
    const auto fingerprint = static_cast<uint64_t>(same_.Number(1));
    const bool repeat = fingerprint == row.fingerprint || fingerprint == 0 || row.fingerprint == 0;
    placed = {same_.Number(0), repeat ? Placed::Kind::kRepeat : Placed::Kind::kConflict};
  }
  same_.Reset();
  if (!stepped) return base::Fail(stepped.error());
  return placed;
}

base::Result<void> SpoolTable::Append(Row& row) {
  const std::optional<std::string> headers = EncodeHeaders(row.record.headers);
  row.id = last_id_ + 1;
  BindRow(insert_, row, headers);
  auto inserted = insert_.Run();
  if (!inserted) return inserted;
  ++last_id_;
  totals_.Add(row.record.topic, row.bytes());
  return {};
}

base::Result<bool> SpoolTable::Restore(const Row& row) {
  const std::optional<std::string> headers = EncodeHeaders(row.record.headers);
  BindRow(restore_, row, headers);
  auto inserted = restore_.Step();
  restore_.Reset();
  if (!inserted || !*inserted) return inserted;
  last_id_ = std::max(last_id_, row.id);
  totals_.Add(row.record.topic, row.bytes());
  return true;
}

base::Result<void> SpoolTable::RestoreLastId(int64_t last_id) {
  last_id_ = std::max(last_id_, last_id);
  restore_last_.Bind(1, last_id_);
  return restore_last_.Run();
}

base::Result<bool> SpoolTable::Has(int64_t id) {
  has_.Bind(1, id);
  auto stepped = has_.Step();
  has_.Reset();
  return stepped;
}

base::Result<void> SpoolTable::Remove(int64_t id) {
  remove_.Bind(1, id);
  const auto removed = remove_.Step();
  if (removed && *removed) totals_.Take(remove_.Text(0), static_cast<uint64_t>(remove_.Number(1)));
  remove_.Reset();
  if (!removed) return base::Fail(removed.error());
  return {};
}

base::Result<SpoolTable::Page> SpoolTable::Read(int64_t after, size_t most_rows,
                                                size_t most_bytes) {
  Page page;
  size_t bytes = 0;
  read_.Bind(1, after);
  read_.Bind(2, static_cast<int64_t>(most_rows));
  base::Result<bool> stepped;
  while ((stepped = read_.Step()) && *stepped) {
    Row row;
    if (!ReadRow(read_, row)) {
      page.damaged.push_back(row.id);
      continue;
    }
    bytes += row.bytes();
    page.rows.push_back(std::move(row));
    if (bytes >= most_bytes) break;
  }
  read_.Reset();
  if (!stepped) return base::Fail(stepped.error());
  return page;
}

base::Result<std::vector<Row>> SpoolTable::Find(const std::string& event_id) {
  std::vector<Row> rows;
  find_.Bind(1, event_id);
  base::Result<bool> stepped;
  while ((stepped = find_.Step()) && *stepped) {
    Row row;
    if (ReadRow(find_, row)) rows.push_back(std::move(row));
  }
  find_.Reset();
  if (!stepped) return base::Fail(stepped.error());
  return rows;
}

}  // namespace outrigger::store
