// The thread that has the file of the spool: all that has come while it was writing goes into its
// next transaction, so one fsync releases many waiters.
//
// A transaction that fails has done nothing: the file is closed and opened again.
// Thread: calls from any; jobs run on its own. Lifetime: destroying it waits for the transaction
// under way, and runs nothing after that.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/spool_file.h"

namespace outrigger::store {

class Writer {
 public:
  // `on_commit` gets the time that each transaction took, on the writer's thread.
  using OnCommit = std::function<void(base::Duration)>;
  Writer(std::string path, SpoolFile file, uint64_t max_bytes, OnCommit on_commit);
  ~Writer();

  struct Job {
    // An error is that of the whole transaction.
    std::function<base::Result<void>(SpoolFile&)> run;
    // On the writer's thread, when what `run` did is on the disk, or failed.
    std::function<void(const base::Result<void>&)> done;
    // What failed is run in the next transaction, until it succeeds; `done` is called only then.
    bool persistent = false;
  };
  void Write(Job job);
  // Outside of transactions: it sees what was written before.
  void Read(Job job);

  void SetMaxBytes(uint64_t max_bytes) { max_bytes_ = max_bytes; }
  // SpoolFile::BytesUsed after the last transaction.
  uint64_t used_bytes() const { return used_bytes_; }

 private:
  using Jobs = std::vector<Job>;

  // Its own thread.
  void Work();
  void Commit(Jobs jobs);
  base::Result<void> CommitOpen(const Jobs& jobs);
  void RunReads(const Jobs& jobs);
  base::Result<void> Reopen();

  const std::string path_;
  const OnCommit on_commit_;
  std::atomic<uint64_t> max_bytes_;
  std::optional<SpoolFile> file_;  // nothing: it failed, and has to be opened again
  Jobs again_;                     // persistent jobs of transactions that failed
  std::atomic<uint64_t> used_bytes_{0};
  std::mutex mutex_;
  std::condition_variable wake_;
  Jobs writes_;
  Jobs reads_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace outrigger::store
