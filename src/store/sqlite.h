// A SQLite database and its statements, each with an owner, and errors as values.
//
// Thread: one at a time. Lifetime: a statement before its database. Source: sqlite.org/c3ref.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace outrigger::store {

// The code of the error that the file is not as it was written; of no other error of this room.
inline constexpr base::Code kDamaged = base::Code::kInvalid;

// kUnavailable, as of no other error of this room.
base::Error DiskIsFull(const std::string& why);

struct DestroySqlite {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

class Statement {
 public:
  Statement() = default;
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  // Parameters count from 1. The bytes stay the caller's, until the statement is reset.
  void Bind(int parameter, int64_t number);
  void Bind(int parameter, std::string_view text);
  void BindBytes(int parameter, const std::optional<std::string>& bytes);  // nullopt: NULL

  // Whether there is a row (after the last one, or where there are none: false).
  base::Result<bool> Step();
  // Ready to be stepped again.
  void Reset();
  // Steps a statement that has no rows, and resets it.
  base::Result<void> Run();

  // Columns count from 0.
  int64_t Number(int column) const;
  std::string Text(int column) const;
  std::optional<std::string> Bytes(int column) const;

 private:
  std::unique_ptr<sqlite3_stmt, DestroySqlite> statement_;
};

class Database {
 public:
  // Creates the file where it is not there.
  static base::Result<Database> Open(const std::string& path);

  base::Result<void> Execute(const std::string& sql);
  base::Result<Statement> Prepare(std::string_view sql);
  base::Result<void> Prepare(std::initializer_list<std::pair<Statement*, std::string>> statements);
  // The first column of the first row.
  base::Result<int64_t> Number(std::string_view sql);

  // Copies the log into the file, as far as nobody is in the way; the log is written from its
  // beginning again when all of it was copied. Returns how many pages of it are copied now.
  base::Result<int64_t> CopyLog();
  // Of the file, not of the log.
  base::Result<void> SyncFile();
  // From now on, log_pages() is how many pages the log had after the last commit, and SQLite does
  // not copy it by itself. The database may not be moved any more.
  void WatchLog();
  int64_t log_pages() const { return log_pages_; }

 private:
  explicit Database(sqlite3* database) : database_(database) {}

  std::unique_ptr<sqlite3, DestroySqlite> database_;
  int64_t log_pages_ = 0;
};

}  // namespace outrigger::store
