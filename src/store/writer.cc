#include "store/writer.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "base/fail_point.h"

namespace outrigger::store {
namespace {

using telemetry::Level;
using telemetry::Log;

// Of a transaction: what it adds to the log, and how long others wait for it, is bounded.
constexpr size_t kMostRows = 1024;
// Persistent jobs are tried again with what comes, or after this time.
constexpr std::chrono::seconds kTryAgain{1};
constexpr std::chrono::milliseconds kIdle{100};

}  // namespace

Writer::Writer(SpoolFolder folder, SpoolFile file, uint64_t max_bytes, OnCommit on_commit,
               OnSalvage on_salvage)
    : folder_(std::move(folder)),
      on_commit_(std::move(on_commit)),
      on_salvage_(std::move(on_salvage)),
      file_(std::move(file)),
      max_bytes_(max_bytes) {
  used_bytes_ = file_->BytesUsed().value_or(0);
  thread_ = std::thread([this] { Work(); });
  pthread_setname_np(thread_.native_handle(), "store");
}

Writer::~Writer() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Writer::Write(Job job) {
  const std::lock_guard lock(mutex_);
  jobs_.push_back(std::move(job));
  wake_.notify_one();
}

void Writer::Read(Job job) {
  job.reads = true;
  Write(std::move(job));
}

void Writer::Work() {
  std::unique_lock lock(mutex_);
  while (true) {
    WaitForJobs(lock);
    if (stop_) return;
    Jobs jobs = Take();
    lock.unlock();
    if (jobs.empty()) {
      Tidy();
    } else if (jobs.front().reads) {
      jobs.front().done(UseFile(jobs.front().run));
    } else {
      Commit(std::move(jobs));
    }
    lock.lock();
  }
}

void Writer::WaitForJobs(std::unique_lock<std::mutex>& lock) {
  const auto ready = [this] { return stop_ || !jobs_.empty(); };
  if (!again_.empty()) {
    wake_.wait_for(lock, kTryAgain, ready);
  } else if (untidy_) {
    wake_.wait_for(lock, kIdle, ready);
  } else {
    wake_.wait(lock, ready);
  }
}

// What goes into one transaction, or one read.
Writer::Jobs Writer::Take() {
  Jobs taken;
  size_t rows = 0;
  for (Jobs* from : {&again_, &jobs_}) {
    while (!from->empty()) {
      Job& next = from->front();
      if (!taken.empty() && (next.reads || rows + next.rows > kMostRows)) return taken;
      rows += next.rows;
      taken.push_back(std::move(next));
      from->pop_front();
      if (taken.back().reads) return taken;
    }
  }
  return taken;
}

void Writer::Commit(Jobs jobs) {
  base::Result<void> committed = base::Fail(DiskIsFull("there is no room for the reserve"));
  if (folder_.reserve().Have(std::chrono::steady_clock::now())) committed = TryCommit(jobs);
  if (!committed && committed.error().code == base::Code::kUnavailable) {
    folder_.reserve().GiveUp();
    const auto others =
        std::stable_partition(jobs.begin(), jobs.end(), [](const Job& job) { return job.grows; });
    Finish(Jobs(std::move_iterator(jobs.begin()), std::move_iterator(others)), committed);
    jobs.erase(jobs.begin(), others);
    if (!jobs.empty()) committed = TryCommit(jobs);
    if (untidy_) Tidy();
  }
  Finish(std::move(jobs), committed);
}

void Writer::Finish(Jobs jobs, const base::Result<void>& committed) {
  base::Reach(base::FailPoint::kAnswer);
  for (Job& job : jobs) {
    if (!committed && job.persistent) {
      again_.push_back(std::move(job));
    } else if (job.done) {
      job.done(committed);
    }
  }
}

base::Result<void> Writer::TryCommit(const Jobs& jobs) {
  const auto start = std::chrono::steady_clock::now();
  auto committed = UseFile([this, &jobs](SpoolFile& file) -> base::Result<void> {
    base::Reach(base::FailPoint::kBegin);
    if (auto begun = file.Begin(max_bytes_); !begun) return begun;
    base::Reach(base::FailPoint::kBegun);
    for (const Job& job : jobs)
      if (auto run = job.run(file); !run) return run;
    base::Reach(base::FailPoint::kCommit);
    auto done = file.Commit();
    base::Reach(base::FailPoint::kCommitted);
    return done;
  });
  if (!committed) {
    uint64_t held_back = 0;
    if (failures_.Allow(start, held_back))
      Log(Level::kError, "the spool can't be written",
          {{"error", committed.error().message}, {"hint", committed.error().hint}});
    return committed;
  }
  untidy_ = true;
  used_bytes_ = file_->BytesUsed().value_or(used_bytes_);
  if (on_commit_) on_commit_(std::chrono::steady_clock::now() - start);
  return committed;
}

void Writer::Tidy() {
  const auto tidied = UseFile([this](SpoolFile& file) -> base::Result<void> {
    const auto shrunk = file.Shrink();
    base::Reach(base::FailPoint::kShrink);
    if (!shrunk) return base::Fail(shrunk.error());
    untidy_ = *shrunk;
    base::Reach(base::FailPoint::kCheckpoint);
    auto emptied = file.Checkpoint();
    base::Reach(base::FailPoint::kCheckpointed);
    return emptied;
  });
  if (tidied) used_bytes_ = file_->BytesUsed().value_or(used_bytes_);
  if (!tidied) untidy_ = false;  // after the next transaction again
}

base::Result<void> Writer::UseFile(const std::function<base::Result<void>(SpoolFile&)>& use) {
  auto used = UseOnce(use);
  return damaged_ ? UseOnce(use) : used;
}

base::Result<void> Writer::UseOnce(const std::function<base::Result<void>(SpoolFile&)>& use) {
  base::Result<void> used;
  if (const auto error = file_ ? file_->log_error() : std::nullopt) {
    damaged_ = error->code == kDamaged;
    file_.reset();
  }
  if (!file_) {
    auto opened = folder_.OpenFile(damaged_);
    if (opened) {
      file_ = std::move(*opened);
      damaged_ = false;
      if (folder_.salvage() && on_salvage_) on_salvage_(*folder_.salvage());
    } else {
      used = base::Fail(opened.error());
    }
  }
  if (used) used = use(*file_);
  if (!used) {
    // Whether a commit that failed is in the file can't be known: the file says so when it is
    // opened again, and nobody was told that the rows are safe.
    file_.reset();
    damaged_ = damaged_ || used.error().code == kDamaged;
  }
  return used;
}

}  // namespace outrigger::store
