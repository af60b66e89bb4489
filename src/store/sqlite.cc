#include "store/sqlite.h"

#include <cerrno>

#include "store/checked_pages.h"

namespace outrigger::store {
namespace {

constexpr int kBusyTimeoutMs = 2000;

// SQLite knows a full disk only where write(2) says so: a quota, and what fsync(2) finds out later,
// are I/O errors to it.
bool DiskFull(sqlite3* database, int code) {
  if (code == SQLITE_FULL) return true;
  const int system = sqlite3_system_errno(database);
  return code == SQLITE_IOERR && (system == ENOSPC || system == EDQUOT);
}

base::Failure FailOf(sqlite3* database) {
  const int code = sqlite3_errcode(database) & 0xFF;
  const bool damaged = code == SQLITE_CORRUPT || code == SQLITE_NOTADB ||
                       sqlite3_extended_errcode(database) == SQLITE_IOERR_DATA;
  const std::string message = std::string("SQLite: ") + sqlite3_errmsg(database);
  if (DiskFull(database, code)) return base::Fail(DiskIsFull(message));
  if (damaged) return base::Fail({kDamaged, message, "the file of the spool is damaged", false});
  switch (code) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return base::Fail(
          {base::Code::kTimeout, message, "another program has the file of the spool open", true});
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return base::Fail({base::Code::kUnauthorized, message,
                         "the folder of spool.path has to be there and writable", false});
    default:
      return base::Fail({base::Code::kInternal, message, "look at the disk of spool.path", true});
  }
}

}  // namespace

base::Error DiskIsFull(const std::string& why) {
  return {base::Code::kUnavailable, "the disk of spool.path is full: " + why,
          "free space on that disk", true};
}

void Statement::Bind(int parameter, int64_t number) {
  sqlite3_bind_int64(statement_.get(), parameter, number);
}

void Statement::Bind(int parameter, std::string_view text) {
  sqlite3_bind_text64(statement_.get(), parameter, text.data(), text.size(), SQLITE_STATIC,
                      SQLITE_UTF8);
}

void Statement::BindBytes(int parameter, const std::optional<std::string>& bytes) {
  if (!bytes) {
    sqlite3_bind_null(statement_.get(), parameter);
  } else {
    sqlite3_bind_blob64(statement_.get(), parameter, bytes->data(), bytes->size(), SQLITE_STATIC);
  }
}

base::Result<bool> Statement::Step() {
  switch (sqlite3_step(statement_.get())) {
    case SQLITE_ROW:
      return true;
    case SQLITE_DONE:
      return false;
    default:
      return FailOf(sqlite3_db_handle(statement_.get()));
  }
}

void Statement::Reset() { sqlite3_reset(statement_.get()); }

base::Result<void> Statement::Run() {
  const auto stepped = Step();
  Reset();
  if (!stepped) return base::Fail(stepped.error());
  return {};
}

int64_t Statement::Number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string Statement::Text(int column) const { return Bytes(column).value_or(std::string()); }

std::optional<std::string> Statement::Bytes(int column) const {
  if (sqlite3_column_type(statement_.get(), column) == SQLITE_NULL) return std::nullopt;
  const void* bytes = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return std::string(static_cast<const char*>(bytes), static_cast<size_t>(size));
}

base::Result<Database> Database::Open(const std::string& path) {
  sqlite3* opened = nullptr;
  const int result = sqlite3_open_v2(
      path.c_str(), &opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
      CheckedPages());
  Database database(opened);
  if (result != SQLITE_OK) return FailOf(opened);
  int reserved = kPageSumBytes;  // of a new database
  sqlite3_file_control(opened, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
  sqlite3_busy_timeout(opened, kBusyTimeoutMs);
  return database;
}

base::Result<void> Database::Execute(const std::string& sql) {
  if (sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    return FailOf(database_.get());
  return {};
}

base::Result<Statement> Database::Prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK)
    return FailOf(database_.get());
  return Statement(statement);
}

base::Result<void> Database::Prepare(
    std::initializer_list<std::pair<Statement*, std::string>> statements) {
  for (const auto& [statement, sql] : statements) {
    auto prepared = Prepare(sql);
    if (!prepared) return base::Fail(prepared.error());
    *statement = std::move(*prepared);
  }
  return {};
}

base::Result<int64_t> Database::Number(std::string_view sql) {
  auto statement = Prepare(sql);
  if (!statement) return base::Fail(statement.error());
  const auto row = statement->Step();
  if (!row) return base::Fail(row.error());
  return *row ? statement->Number(0) : 0;
}

base::Result<int64_t> Database::CopyLog() {
  int copied = 0;
  const int result = sqlite3_wal_checkpoint_v2(database_.get(), "main", SQLITE_CHECKPOINT_PASSIVE,
                                               nullptr, &copied);
  if (result == SQLITE_BUSY) return 0;  // another program does it
  if (result != SQLITE_OK) return FailOf(database_.get());
  return copied;
}

base::Result<void> Database::SyncFile() {
  sqlite3_file* file = nullptr;
  sqlite3_file_control(database_.get(), "main", SQLITE_FCNTL_FILE_POINTER, &file);
  if (file->pMethods->xSync(file, SQLITE_SYNC_NORMAL) == SQLITE_OK) return {};
  return base::Fail({base::Code::kInternal, "the file of the spool can't be synced",
                     "look at the disk of spool.path", true});
}

void Database::WatchLog() {
  const auto on_commit = [](void* pages, sqlite3*, const char*, int count) {
    *static_cast<int64_t*>(pages) = count;
    return SQLITE_OK;
  };
  sqlite3_wal_hook(database_.get(), on_commit, &log_pages_);
}

}  // namespace outrigger::store
