// The thread that has the file of the spool: what has come while it was writing goes into its next
// transaction, so one fsync releases many waiters.
//
// A transaction that fails has done nothing: the file is closed and opened again. While the disk is
// full, what makes the file larger fails at once, and the rest goes on.
// Thread: calls from any; jobs run on its own. Lifetime: destroying it waits for the transaction
// under way, and runs nothing after that.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/result.h"
#include "store/spool_folder.h"
#include "telemetry/log.h"

namespace outrigger::store {

class Writer {
 public:
  // On the writer's thread: the time that each transaction took; what was left of a file that was
  // found damaged while it was in use.
  using OnCommit = std::function<void(base::Duration)>;
  using OnSalvage = std::function<void(const Salvage&)>;
  Writer(SpoolFolder folder, SpoolFile file, uint64_t max_bytes, OnCommit on_commit,
         OnSalvage on_salvage);
  ~Writer();

  struct Job {
    // May run again after it failed. An error is that of the whole transaction.
    std::function<base::Result<void>(SpoolFile&)> run;
    // On the writer's thread, when what `run` did is on the disk, or failed.
    std::function<void(const base::Result<void>&)> done;
    size_t rows = 1;
    bool reads = false;
    bool grows = false;  // it makes the file larger
    // What failed runs again in the next transaction, until it succeeds; `done` is called only
    // then.
    bool persistent = false;
  };
  // Jobs run in the order in which they came.
  void Write(Job job);
  // Outside of transactions.
  void Read(Job job);

  void SetMaxBytes(uint64_t max_bytes) { max_bytes_ = max_bytes; }
  // SpoolFile::BytesUsed after the last transaction.
  uint64_t used_bytes() const { return used_bytes_; }

 private:
  using Jobs = std::deque<Job>;

  // Its own thread.
  void Work();
  void WaitForJobs(std::unique_lock<std::mutex>& lock);
  Jobs Take();
  void Commit(Jobs jobs);
  void Finish(Jobs jobs, const base::Result<void>& committed);
  base::Result<void> TryCommit(const Jobs& jobs);
  void Tidy();
  // Runs `use` on the open file, once more where that says that it is damaged.
  base::Result<void> UseFile(const std::function<base::Result<void>(SpoolFile&)>& use);
  base::Result<void> UseOnce(const std::function<base::Result<void>(SpoolFile&)>& use);

  SpoolFolder folder_;
  const OnCommit on_commit_;
  const OnSalvage on_salvage_;
  std::optional<SpoolFile> file_;  // nothing: it failed, and has to be opened again
  bool damaged_ = false;           // what the file said when it failed
  Jobs again_;                     // persistent jobs of transactions that failed
  bool untidy_ = true;             // the file may be made smaller
  telemetry::LogLimit failures_;
  std::atomic<uint64_t> max_bytes_;
  std::atomic<uint64_t> used_bytes_{0};
  std::mutex mutex_;
  std::condition_variable wake_;
  Jobs jobs_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace outrigger::store
