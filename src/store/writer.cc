#include "store/writer.h"

#include <pthread.h>

#include <iterator>
#include <utility>

#include "telemetry/log.h"

namespace outrigger::store {
namespace {

using telemetry::Level;
using telemetry::Log;

// Persistent jobs are tried again with what comes, or after this time.
constexpr std::chrono::seconds kTryAgain{1};

}  // namespace

Writer::Writer(std::string path, SpoolFile file, uint64_t max_bytes, OnCommit on_commit)
    : path_(std::move(path)),
      on_commit_(std::move(on_commit)),
      max_bytes_(max_bytes),
      file_(std::move(file)) {
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
  writes_.push_back(std::move(job));
  wake_.notify_one();
}

void Writer::Read(Job job) {
  const std::lock_guard lock(mutex_);
  reads_.push_back(std::move(job));
  wake_.notify_one();
}

void Writer::Work() {
  std::unique_lock lock(mutex_);
  while (true) {
    const auto ready = [this] { return stop_ || !writes_.empty() || !reads_.empty(); };
    if (again_.empty()) {
      wake_.wait(lock, ready);
    } else {
      wake_.wait_for(lock, kTryAgain, ready);
    }
    if (stop_) return;
    Jobs writes = std::exchange(again_, {});
    std::ranges::move(std::exchange(writes_, {}), std::back_inserter(writes));
    const Jobs reads = std::exchange(reads_, {});
    lock.unlock();
    if (!writes.empty()) Commit(std::move(writes));
    RunReads(reads);
    lock.lock();
  }
}

void Writer::Commit(Jobs jobs) {
  const auto start = std::chrono::steady_clock::now();
  base::Result<void> committed = Reopen();
  if (committed) committed = CommitOpen(jobs);
  if (committed) {
    used_bytes_ = file_->BytesUsed().value_or(used_bytes_);
    if (on_commit_) on_commit_(std::chrono::steady_clock::now() - start);
  } else {
    // Whether a commit that failed is in the file can't be known: the file says so when it is
    // opened again, and nobody was told that the rows are safe.
    file_.reset();
    Log(Level::kError, "the spool can't be written",
        {{"error", committed.error().message}, {"hint", committed.error().hint}});
  }
  for (Job& job : jobs) {
    if (!committed && job.persistent) {
      again_.push_back(std::move(job));
    } else if (job.done) {
      job.done(committed);
    }
  }
}

base::Result<void> Writer::CommitOpen(const Jobs& jobs) {
  if (auto begun = file_->Begin(max_bytes_); !begun) return begun;
  for (const Job& job : jobs)
    if (auto run = job.run(*file_); !run) return run;
  return file_->Commit();
}

void Writer::RunReads(const Jobs& jobs) {
  for (const Job& job : jobs) {
    base::Result<void> read = Reopen();
    if (read) {
      read = job.run(*file_);
      if (!read) file_.reset();
    }
    job.done(read);
  }
}

base::Result<void> Writer::Reopen() {
  if (file_) return {};
  auto opened = SpoolFile::Open(path_);
  if (!opened) return base::Fail(opened.error());
  file_ = std::move(*opened);
  return {};
}

}  // namespace outrigger::store
