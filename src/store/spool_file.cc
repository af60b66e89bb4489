#include "store/spool_file.h"

#include <filesystem>
#include <system_error>
#include <utility>

namespace outrigger::store {
namespace {

constexpr int64_t kApplication = 0x4F545247;  // "OTRG"
constexpr int64_t kVersion = 1;

// page_size and auto_vacuum hold only before the first table. Ids that callers choose are random, so
// each row changes a page of its own in the index: small pages, and more of them in memory.
constexpr char kPragmas[] =
    "PRAGMA page_size = 4096;"
    "PRAGMA auto_vacuum = INCREMENTAL;"
    "PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = FULL;"
    "PRAGMA cache_size = -8000;"
    "PRAGMA wal_autocheckpoint = 4000;"
    "PRAGMA journal_size_limit = 16777216;";

// The columns of a row; the large ones last, so that the others are read without them.
constexpr char kRow[] =
    "crc INTEGER NOT NULL,"
    "bytes INTEGER NOT NULL,"
    "event_id TEXT NOT NULL,"
    "source TEXT NOT NULL,"
    "target INTEGER NOT NULL,"
    "fingerprint INTEGER NOT NULL,"
    "topic TEXT NOT NULL,"
    "partition INTEGER NOT NULL,"
    "timestamp_ms INTEGER NOT NULL,"
    "dead_letter TEXT NOT NULL,"
    "label TEXT NOT NULL,"
    "accepted_ms INTEGER NOT NULL,"
    "key BLOB,"
    "value BLOB,"
    "headers BLOB NOT NULL";

std::string Schema() {
  const std::string row = kRow;
  return "CREATE TABLE spool (id INTEGER PRIMARY KEY AUTOINCREMENT," + row +
         ");"
         "CREATE INDEX spool_event ON spool (event_id);"
         "CREATE TABLE quarantine (id INTEGER PRIMARY KEY," +
         row +
         ",reason TEXT NOT NULL, detail TEXT NOT NULL, quarantined_ms INTEGER NOT NULL);"
         "CREATE INDEX quarantine_event ON quarantine (event_id);"
         "CREATE TABLE totals (topic TEXT PRIMARY KEY, records INTEGER NOT NULL,"
         "bytes INTEGER NOT NULL) WITHOUT ROWID;";
}

base::Result<void> CheckFormat(Database& database) {
  const auto application = database.Number("PRAGMA application_id");
  if (!application) return base::Fail(application.error());
  const auto version = database.Number("PRAGMA user_version");
  if (!version) return base::Fail(version.error());
  const auto tables = database.Number("SELECT count(*) FROM sqlite_schema");
  if (!tables) return base::Fail(tables.error());
  if (*application == 0 && *tables == 0) {
    return database.Execute("BEGIN;" + Schema() +
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

uint64_t SizeOf(const std::string& path) {
  std::error_code none;
  const uintmax_t size = std::filesystem::file_size(path, none);
  return none ? 0 : size;
}

}  // namespace

base::Result<SpoolFile> SpoolFile::Open(const std::string& path) {
  auto opened = Database::Open(path);
  if (!opened) return base::Fail(opened.error());
  auto database = std::make_unique<Database>(std::move(*opened));
  if (auto set = database->Execute(kPragmas); !set) return base::Fail(set.error());
  if (auto checked = CheckFormat(*database); !checked) return base::Fail(checked.error());
  auto spool = SpoolTable::Open(*database);
  if (!spool) return base::Fail(spool.error());
  auto quarantine = QuarantineTable::Open(*database);
  if (!quarantine) return base::Fail(quarantine.error());
  SpoolFile file(path, std::move(database), std::move(*spool), std::move(*quarantine));
  auto prepared = file.database_->Prepare({
      {&file.begin_, "BEGIN IMMEDIATE"},
      {&file.commit_, "COMMIT"},
      {&file.checkpoint_, "PRAGMA wal_checkpoint(TRUNCATE)"},
      {&file.pages_,
       "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count(), "
       "pragma_freelist_count(), pragma_page_size()"},
  });
  if (!prepared) return base::Fail(prepared.error());
  return file;
}

SpoolFile::SpoolFile(std::string path, std::unique_ptr<Database> database, SpoolTable spool,
                     QuarantineTable quarantine)
    : path_(std::move(path)),
      database_(std::move(database)),
      spool_(std::move(spool)),
      quarantine_(std::move(quarantine)) {}

base::Result<void> SpoolFile::Begin(uint64_t max_bytes) {
  max_bytes_ = max_bytes;
  auto used = BytesUsed();
  if (used && *used >= max_bytes) {
    // What is in the log may be in the database already.
    if (auto done = checkpoint_.Step(); !done) return base::Fail(done.error());
    checkpoint_.Reset();
    used = BytesUsed();
  }
  if (!used) return base::Fail(used.error());
  used_ = *used;
  return begin_.Run();
}

base::Result<void> SpoolFile::CheckRoom() const {
  if (used_ < max_bytes_) return {};
  return base::Fail({base::Code::kTooLarge, "the spool is full",
                     "spool.maxBytes is " + std::to_string(max_bytes_) + " bytes", true});
}

base::Result<void> SpoolFile::Commit() {
  if (auto finished = spool_.Finish(); !finished) return finished;
  return commit_.Run();
}

base::Result<bool> SpoolFile::Quarantine(int64_t id, const std::string& reason,
                                         const std::string& detail, int64_t now_ms) {
  auto copied = quarantine_.Copy(id, reason, detail, now_ms);
  if (!copied || !*copied) return copied;
  if (auto removed = spool_.Remove(id); !removed) return base::Fail(removed.error());
  return true;
}

base::Result<int64_t> SpoolFile::Requeue(int64_t id) {
  auto found = quarantine_.List(id - 1, 1);
  if (!found) return base::Fail(found.error());
  if (found->empty() || found->front().row.id != id || found->front().damaged) return 0;
  if (auto removed = quarantine_.Remove(id); !removed) return base::Fail(removed.error());
  Row& row = found->front().row;
  if (auto appended = spool_.Append(row); !appended) return base::Fail(appended.error());
  return row.id;
}

base::Result<Contents> SpoolFile::Count() {
  const auto quarantined = database_->Number("SELECT count(*) FROM quarantine");
  if (!quarantined) return base::Fail(quarantined.error());
  const auto oldest = database_->Number("SELECT accepted_ms FROM spool ORDER BY id LIMIT 1");
  if (!oldest) return base::Fail(oldest.error());
  Contents contents;
  contents.topics = spool_.totals().topics();
  for (const auto& [topic, total] : contents.topics) {
    contents.records += total.records;
    contents.bytes += total.bytes;
  }
  contents.last_id = spool_.last_id();
  contents.oldest_ms = *oldest;
  contents.quarantined = static_cast<uint64_t>(*quarantined);
  return contents;
}

base::Result<uint64_t> SpoolFile::BytesUsed() {
  const auto stepped = pages_.Step();
  const auto pages = static_cast<uint64_t>(stepped && *stepped ? pages_.Number(0) : 0);
  pages_.Reset();
  if (!stepped) return base::Fail(stepped.error());
  return pages + SizeOf(path_ + "-wal") + SizeOf(path_ + "-shm");
}

}  // namespace outrigger::store
