#include "store/spool_file.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "store/checked_pages.h"

namespace outrigger::store {
namespace {

constexpr int64_t kApplication = 0x4F545247;  // "OTRG"
constexpr int64_t kVersion = 1;

// Before the first table. Ids that callers choose are random, so each row changes a page of its own
// in the index: small pages, and more of them in memory. EXTRA: were the journal of this first
// change there again after a power cut, it would undo what came after it.
constexpr char kNewPragmas[] =
    "PRAGMA synchronous = EXTRA;"
    "PRAGMA page_size = 4096;"
    "PRAGMA auto_vacuum = INCREMENTAL;";

constexpr char kPragmas[] =
    "PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = FULL;"
    "PRAGMA secure_delete = FAST;"
    "PRAGMA journal_size_limit = 16777216;";

// Of the log, as the pragmas have it.
constexpr uint64_t kLogBytes = 16 << 20;
// Parts of the most pages of the log: from so many on it is copied, and so few are copied at once
// rather than by another thread.
constexpr int64_t kManyPages = 2;
constexpr int64_t kFewPages = 20;
// What removing rows may add to the log when the spool is full.
constexpr uint64_t kRemovalBytes = 4 << 20;
// Of a row beside its own bytes, which are in the log and then also in the database: a page of the
// index and one of the table in the log.
constexpr uint64_t kRowBytes = 2 * kPageBytes;
// Shrink is one transaction, and others wait for it.
constexpr char kShrink[] = "PRAGMA incremental_vacuum(256)";

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
         "bytes INTEGER NOT NULL);";
}

base::Result<void> Make(Database& database) {
  if (auto set = database.Execute(kNewPragmas); !set) return set;
  if (auto set = database.Execute(kPragmas); !set) return set;
  return database.Execute("BEGIN;" + Schema() +
                          "PRAGMA application_id = " + std::to_string(kApplication) +
                          ";PRAGMA user_version = " + std::to_string(kVersion) + ";COMMIT;");
}

base::Result<void> MakeOrCheck(Database& database) {
  const auto application = database.Number("PRAGMA application_id");
  if (!application) return base::Fail(application.error());
  const auto version = database.Number("PRAGMA user_version");
  if (!version) return base::Fail(version.error());
  const auto tables = database.Number("SELECT count(*) FROM sqlite_schema");
  if (!tables) return base::Fail(tables.error());
  if (*application == 0 && *tables == 0) return Make(database);
  if (*application != kApplication) return base::Fail(NotOurs());
  if (*version > kVersion)
    return base::Fail({base::Code::kUnsupported,
                       "the spool has format " + std::to_string(*version) +
                           ", and this version knows " + std::to_string(kVersion),
                       "start the version again that wrote it, and let it send what the spool has",
                       false});
  return database.Execute(kPragmas);
}

uint64_t SizeOf(const std::string& path) {
  std::error_code none;
  const uintmax_t size = std::filesystem::file_size(path, none);
  return none ? 0 : size;
}

}  // namespace

base::Error NotOurs() {
  return {base::Code::kConflict, "the database at spool.path is not Outrigger's",
          "give the spool a folder of its own", false};
}

base::Result<SpoolFile> SpoolFile::Open(const std::string& path, uint64_t cache_bytes) {
  auto opened = Database::Open(path);
  if (!opened) return base::Fail(opened.error());
  auto database = std::make_unique<Database>(std::move(*opened));
  const std::string cache = "PRAGMA cache_size = -" + std::to_string(cache_bytes >> 10);
  if (auto set = database->Execute(cache); !set) return base::Fail(set.error());
  if (auto ready = MakeOrCheck(*database); !ready) return base::Fail(ready.error());
  auto spool = SpoolTable::Open(*database);
  if (!spool) return base::Fail(spool.error());
  auto quarantine = QuarantineTable::Open(*database);
  if (!quarantine) return base::Fail(quarantine.error());
  SpoolFile file(path, std::move(database), std::move(*spool), std::move(*quarantine));
  auto prepared = file.database_->Prepare({
      {&file.begin_, "BEGIN IMMEDIATE"},
      {&file.commit_, "COMMIT"},
      {&file.pages_,
       "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count(), "
       "pragma_freelist_count(), pragma_page_size()"},
      {&file.free_pages_, "PRAGMA freelist_count"},
  });
  if (!prepared) return base::Fail(prepared.error());
  file.database_->WatchLog();
  // A commit that failed may be in the log, and not on the disk: nothing may be written behind it.
  if (auto emptied = file.Checkpoint(); !emptied) return base::Fail(emptied.error());
  return file;
}

SpoolFile::SpoolFile(std::string path, std::unique_ptr<Database> database, SpoolTable spool,
                     QuarantineTable quarantine)
    : path_(std::move(path)),
      database_(std::move(database)),
      spool_(std::move(spool)),
      quarantine_(std::move(quarantine)) {}

base::Result<void> SpoolFile::CopyLogMeanwhile(int64_t log_pages) {
  auto opened = Checkpointer::Open(path_);
  if (!opened) return base::Fail(opened.error());
  checkpointer_ = std::move(*opened);
  log_pages_ = log_pages;
  return {};
}

std::optional<base::Error> SpoolFile::log_error() {
  return checkpointer_ ? checkpointer_->state().error : std::nullopt;
}

// The log begins again at its start when all of it was copied, which another thread can't achieve
// as long as there are commits: it copies most of it, and the rest is copied here.
base::Result<void> SpoolFile::BoundLog() {
  const int64_t pages = database_->log_pages();
  if (pages < log_pages_ / kManyPages) return {};
  if (pages < log_pages_ && checkpointer_) {
    const Checkpointer::State state = checkpointer_->state();
    if (state.at_work) return {};
    if (state.copied > pages || pages - state.copied > log_pages_ / kFewPages) {
      checkpointer_->Start();
      return {};
    }
  }
  if (pages < log_pages_ && !checkpointer_) return {};
  if (checkpointer_) checkpointer_->Wait();
  const auto copied = database_->CopyLog();
  if (!copied) return base::Fail(copied.error());
  return {};
}

base::Result<void> SpoolFile::Begin(uint64_t max_bytes) {
  max_bytes_ = max_bytes;
  if (auto bounded = BoundLog(); !bounded) return bounded;
  if (auto measured = MeasureRoom(); !measured) return measured;
  if (std::min(spool_room_, disk_room_) < kLogBytes) {
    // Near a limit the log is not left to grow: what is in it may need the same room again.
    if (auto emptied = Checkpoint(); !emptied) return emptied;
    if (auto measured = MeasureRoom(); !measured) return measured;
  }
  return begin_.Run();
}

base::Result<void> SpoolFile::MeasureRoom() {
  const auto used = BytesUsed();
  if (!used) return base::Fail(used.error());
  const uint64_t taken = *used + std::min(max_bytes_ / 8, kRemovalBytes);
  spool_room_ = max_bytes_ > taken ? max_bytes_ - taken : 0;
  std::error_code none;
  const auto space = std::filesystem::space(std::filesystem::path(path_).parent_path(), none);
  disk_room_ = none ? UINT64_MAX : space.available;
  return {};
}

base::Result<void> SpoolFile::TakeRoom(const std::vector<Row>& rows) {
  uint64_t need = 0;
  for (const Row& row : rows) need += kRowBytes + row.bytes() * 5 / 2;
  if (need > spool_room_)
    return base::Fail({base::Code::kTooLarge, "the spool is full",
                       "spool.maxBytes is " + std::to_string(max_bytes_) + " bytes", true});
  if (need > disk_room_) return base::Fail(DiskIsFull("there is no room for more rows"));
  spool_room_ -= need;
  disk_room_ -= need;
  return {};
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

base::Result<std::optional<Row>> SpoolFile::Requeue(int64_t id) {
  auto found = quarantine_.Get(id);
  if (!found) return base::Fail(found.error());
  if (!*found || (*found)->damaged) return std::nullopt;
  if (auto removed = quarantine_.Remove(id); !removed) return base::Fail(removed.error());
  Row& row = (*found)->row;
  if (auto appended = spool_.Append(row); !appended) return base::Fail(appended.error());
  return std::move(row);
}

base::Result<std::optional<Row>> SpoolFile::Drop(int64_t id) {
  auto page = spool_.Read(id - 1, 1, 0);
  if (!page) return base::Fail(page.error());
  if (page->rows.empty() || page->rows.front().id != id) return std::nullopt;
  if (auto removed = spool_.Remove(id); !removed) return base::Fail(removed.error());
  return std::move(page->rows.front());
}

base::Result<std::optional<Row>> SpoolFile::DropQuarantined(int64_t id) {
  auto found = quarantine_.Get(id);
  if (!found) return base::Fail(found.error());
  if (!*found) return std::nullopt;
  if (auto removed = quarantine_.Remove(id); !removed) return base::Fail(removed.error());
  return std::move((*found)->row);
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

base::Result<void> SpoolFile::Checkpoint() {
  if (checkpointer_) checkpointer_->Wait();
  // The first column says that another program was in the way.
  const auto busy = database_->Number("PRAGMA wal_checkpoint(TRUNCATE)");
  if (!busy) return base::Fail(busy.error());
  if (*busy == 0) return {};
  return base::Fail({base::Code::kTimeout, "the log of the spool can't be emptied",
                     "another program has the file of the spool open", true});
}

base::Result<bool> SpoolFile::Shrink() {
  const auto stepped = free_pages_.Step();
  const bool any = stepped && *stepped && free_pages_.Number(0) > 0;
  free_pages_.Reset();
  if (!stepped) return base::Fail(stepped.error());
  if (!any) return false;
  if (auto shrunk = database_->Execute(kShrink); !shrunk) return base::Fail(shrunk.error());
  return true;
}

}  // namespace outrigger::store
