#include "store/spool_table.h"

#include <array>
#include <utility>

namespace outrigger::store {
namespace {

constexpr int64_t kApplication = 0x4F545247;  // "OTRG"
constexpr int64_t kVersion = 1;

// page_size and auto_vacuum hold only before the first table.
constexpr char kPragmas[] =
    "PRAGMA page_size = 16384;"
    "PRAGMA auto_vacuum = INCREMENTAL;"
    "PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = FULL;"
    "PRAGMA journal_size_limit = 16777216;";

constexpr char kSchema[] =
    "CREATE TABLE spool ("
    "id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "event_id TEXT NOT NULL,"
    "source TEXT NOT NULL,"
    "topic TEXT NOT NULL,"
    "partition INTEGER NOT NULL,"
    "timestamp_ms INTEGER NOT NULL,"
    "key BLOB,"
    "value BLOB,"
    "headers BLOB NOT NULL,"
    "crc INTEGER NOT NULL);";

base::Result<void> CheckFormat(Database& database) {
  const auto application = database.Number("PRAGMA application_id");
  if (!application) return base::Fail(application.error());
  const auto version = database.Number("PRAGMA user_version");
  if (!version) return base::Fail(version.error());
  const auto tables = database.Number("SELECT count(*) FROM sqlite_schema");
  if (!tables) return base::Fail(tables.error());
  if (*application == 0 && *tables == 0) {
    return database.Execute("BEGIN;" + std::string(kSchema) +
                            "PRAGMA application_id = " + std::to_string(kApplication) +
                            ";PRAGMA user_version = " + std::to_string(kVersion) + ";COMMIT;");
  }
  if (*application != kApplication)
    return base::Fail(base::Error::Invalid("the database at spool.path is not Outrigger's",
                                           "give the spool a folder of its own"));
  if (*version > kVersion)
    return base::Fail(base::Error::Invalid(
        "the spool has format " + std::to_string(*version) + ", and this version knows " +
            std::to_string(kVersion),
        "start the version again that wrote it, and let it send what the spool has"));
  return {};
}

}  // namespace

base::Result<SpoolTable> SpoolTable::Open(const std::string& path) {
  auto database = Database::Open(path);
  if (!database) return base::Fail(database.error());
  if (auto set = database->Execute(kPragmas); !set) return base::Fail(set.error());
  if (auto checked = CheckFormat(*database); !checked) return base::Fail(checked.error());
  SpoolTable table(std::move(*database));
  if (auto prepared = table.Prepare(); !prepared) return base::Fail(prepared.error());
  return table;
}

base::Result<void> SpoolTable::Prepare() {
  const std::array<std::pair<Statement*, const char*>, 5> statements{{
      {&begin_, "BEGIN IMMEDIATE"},
      {&insert_,
       "INSERT INTO spool (event_id, source, topic, partition, timestamp_ms, key, value, headers, "
       "crc) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id"},
      {&remove_, "DELETE FROM spool WHERE id = ?"},
      {&commit_, "COMMIT"},
      {&read_,
       "SELECT id, event_id, source, topic, partition, timestamp_ms, key, value, headers, crc "
       "FROM spool WHERE id > ? ORDER BY id LIMIT ?"},
  }};
  for (const auto& [statement, sql] : statements) {
    auto prepared = database_.Prepare(sql);
    if (!prepared) return base::Fail(prepared.error());
    *statement = std::move(*prepared);
  }
  return {};
}

base::Result<void> SpoolTable::Begin() { return begin_.Run(); }
base::Result<void> SpoolTable::Commit() { return commit_.Run(); }

base::Result<void> SpoolTable::Insert(Row& row) {
  const std::optional<std::string> headers = EncodeHeaders(row.record.headers);
  insert_.Bind(1, row.event_id);
  insert_.Bind(2, row.source);
  insert_.Bind(3, row.record.topic);
  insert_.Bind(4, int64_t{row.record.partition});
  insert_.Bind(5, row.record.timestamp_ms);
  insert_.BindBytes(6, row.record.key);
  insert_.BindBytes(7, row.record.value);
  insert_.BindBytes(8, headers);
  insert_.Bind(9, int64_t{ChecksumOf(row, *headers)});
  const auto stepped = insert_.Step();
  if (stepped && *stepped) row.id = insert_.Number(0);
  insert_.Reset();
  if (!stepped) return base::Fail(stepped.error());
  return {};
}

base::Result<void> SpoolTable::Remove(int64_t id) {
  remove_.Bind(1, id);
  return remove_.Run();
}

base::Result<SpoolTable::Page> SpoolTable::Read(int64_t after, size_t most_rows,
                                                size_t most_bytes) {
  Page page;
  size_t bytes = 0;
  read_.Bind(1, after);
  read_.Bind(2, static_cast<int64_t>(most_rows));
  base::Result<bool> stepped;
  while ((stepped = read_.Step()) && *stepped) {
    Row row{
        .id = read_.Number(0), .event_id = read_.Text(1), .source = read_.Text(2), .record = {}};
    row.record.topic = read_.Text(3);
    row.record.partition = static_cast<int32_t>(read_.Number(4));
    row.record.timestamp_ms = read_.Number(5);
    row.record.key = read_.Bytes(6);
    row.record.value = read_.Bytes(7);
    const std::string headers = read_.Text(8);
    auto decoded = DecodeHeaders(headers);
    if (!decoded || int64_t{ChecksumOf(row, headers)} != read_.Number(9)) {
      page.damaged.push_back(row.id);
      continue;
    }
    row.record.headers = std::move(*decoded);
    bytes += row.bytes();
    page.rows.push_back(std::move(row));
    if (bytes >= most_bytes) break;
  }
  read_.Reset();
  if (!stepped) return base::Fail(stepped.error());
  return page;
}

base::Result<int64_t> SpoolTable::Count() { return database_.Number("SELECT count(*) FROM spool"); }

base::Result<int64_t> SpoolTable::BytesUsed() {
  return database_.Number(
      "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count(), "
      "pragma_freelist_count(), pragma_page_size()");
}

}  // namespace outrigger::store
