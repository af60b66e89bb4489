// The spool on the disk: rows are safe when they have been put, are read in the order in which they
// were put, and leave when they are removed.
//
// One thread writes; all that has come while it was writing goes into its next transaction, so one
// fsync releases many waiters. A transaction that fails acknowledges nothing: the file is closed
// and opened again, and what was to be removed is removed later.
//
// Thread: the loop's; answers come on it, in the order of the questions. Lifetime: the loop
// outlives it; destroying it waits for the transaction under way, and no answer comes after that:
// what was not answered may be in the file or not.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/loop_calls.h"
#include "store/folder_lock.h"
#include "store/row.h"
#include "store/spool_table.h"

namespace outrigger::store {

struct StoreOptions {
  std::string folder;  // it has to be there
  uint64_t max_bytes = 1 << 30;
};

class Store {
 public:
  // Fails when the folder can't be used, another process has it, or the file is of a newer format.
  static base::Result<std::unique_ptr<Store>> Open(base::Loop& loop, StoreOptions options);
  ~Store();

  // The ids that the rows got, in order; or why none of them is safe.
  using OnPut = std::function<void(const base::Result<std::vector<int64_t>>&)>;
  void Put(std::vector<Row> rows, OnPut on_put);
  void Remove(std::vector<int64_t> ids);
  // As SpoolTable::Read; it sees what was put before.
  using OnRead = std::function<void(base::Result<SpoolTable::Page>)>;
  void Read(int64_t after, size_t most_rows, size_t most_bytes, OnRead on_read);

 private:
  struct PutJob {
    std::vector<Row> rows;
    OnPut on_put;
  };
  struct ReadJob {
    int64_t after = 0;
    size_t most_rows = 0;
    size_t most_bytes = 0;
    OnRead on_read;
  };
  // What has come for the next transaction.
  struct Jobs {
    std::vector<PutJob> puts;
    std::vector<int64_t> removes;
    std::vector<ReadJob> reads;  // after the transaction
    bool empty() const { return puts.empty() && removes.empty() && reads.empty(); }
  };

  Store(base::Loop& loop, StoreOptions options, FolderLock lock, SpoolTable table);

  // The writer's thread.
  void Work();
  void Write(Jobs& jobs);
  base::Result<void> WriteOpen(Jobs& jobs);
  void AnswerPuts(std::vector<PutJob> puts, const base::Result<void>& written);
  base::Result<void> CheckRoom();
  void Read(Jobs& jobs);
  base::Result<void> Reopen();

  const StoreOptions options_;
  const FolderLock lock_;
  std::optional<SpoolTable> table_;    // nothing: it failed, and has to be opened again
  std::vector<int64_t> late_removes_;  // of transactions that failed
  base::LoopCalls answers_;
  std::mutex mutex_;
  std::condition_variable wake_;
  Jobs jobs_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace outrigger::store
