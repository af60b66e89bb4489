// The spool on the disk: rows are safe when they have been put, are read in the order in which they
// were put, and leave when they are removed or quarantined.
//
// Thread: the loop's, unless a call says otherwise; answers come on it, those of writes in the
// order of the calls. Lifetime: the loop outlives it; destroying it waits for the transaction under
// way, and no answer comes after that: what was not answered may be in the file or not. Errors of
// writes and reads: kTooLarge (Put only): the spool has its spool.maxBytes; kUnavailable: the disk
// is full; kTimeout: another program has the file; any other code: the disk or the file failed.
// Nothing of a call that failed is in the file, and the next one may succeed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/loop_calls.h"
#include "store/row.h"
#include "store/spool_file.h"
#include "store/writer.h"

namespace outrigger::store {

struct StoreOptions {
  std::string folder;  // it has to be there
  uint64_t max_bytes = 1 << 30;
  Writer::OnCommit on_commit = nullptr;
  Writer::OnSalvage on_salvage = nullptr;
  uint64_t cache_bytes = SpoolFile::kCacheBytes;
  int64_t log_pages = SpoolFile::kLogPages;  // as in SpoolFile::CopyLogMeanwhile
};

class Store {
 public:
  // Fails when the folder can't be used, another process has it, or the file is of a newer format.
  static base::Result<std::unique_ptr<Store>> Open(base::Loop& loop, StoreOptions options);
  ~Store();

  // What the file had when it was opened.
  const Contents& found() const { return found_; }
  // On the disk, as spool.maxBytes counts it. From any thread.
  uint64_t used_bytes() const { return writer_->used_bytes(); }
  void SetMaxBytes(uint64_t max_bytes) { writer_->SetMaxBytes(max_bytes); }
  // The memory of all files that this process has open. From any thread.
  static uint64_t memory_bytes();

  template <typename Answer>
  using On = std::function<void(base::Result<Answer>)>;

  // Where the rows are, in order; or why none of them is safe.
  using Placements = std::vector<Placed>;
  void Put(std::vector<Row> rows, On<Placements> on_put);
  // Tried again until it succeeds. After a crash, rows may be there that were removed.
  void Remove(std::vector<int64_t> ids);
  // As SpoolTable::Read; it sees what was put before.
  void Read(int64_t after, size_t most_rows, size_t most_bytes, On<SpoolTable::Page> on_read);

  struct Found {
    std::vector<Row> spooled;
    std::vector<QuarantinedRow> quarantined;
  };
  void Find(std::string event_id, On<Found> on_found);

  // The answer: whether the spool had the row.
  void Quarantine(int64_t id, std::string reason, std::string detail, On<bool> on_done);
  using QuarantinedRows = std::vector<QuarantinedRow>;
  void ListQuarantine(int64_t after, size_t most_rows, size_t most_bytes,
                      On<QuarantinedRows> on_listed);
  // A row that was moved or dropped; without its value and its headers, but with their size.
  struct Changed {
    Row row;
    size_t bytes = 0;
  };
  // For each id that was asked for; nothing where SpoolFile's call returned nothing.
  using Changes = std::vector<std::optional<Changed>>;
  using Ids = std::vector<int64_t>;
  void Requeue(Ids ids, On<Changes> on_done);
  void Drop(Ids ids, On<Changes> on_done);
  void DropQuarantined(Ids ids, On<Changes> on_done);

 private:
  Store(base::Loop& loop, Contents found, std::unique_ptr<Writer> writer);

  // A job that runs `run(SpoolFile&)`, a Result<Answer>, and posts that.
  template <typename Answer, typename Run>
  Writer::Job JobOf(Run run, On<Answer> on_answer);
  using Change = base::Result<std::optional<Row>> (SpoolFile::*)(int64_t id);
  void Apply(Change change, Ids ids, On<Changes> on_done);

  const Contents found_;
  base::LoopCalls answers_;
  std::unique_ptr<Writer> writer_;
};

}  // namespace outrigger::store
