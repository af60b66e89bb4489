#include "store/store.h"

#include <pthread.h>

#include <utility>

#include "telemetry/log.h"

namespace outrigger::store {
namespace {

using telemetry::Level;
using telemetry::Log;

// What could not be removed is tried again, with what comes or after this time.
constexpr std::chrono::seconds kRemoveAgain{1};

std::string PathIn(const std::string& folder) { return folder + "/outrigger.db"; }

}  // namespace

base::Result<std::unique_ptr<Store>> Store::Open(base::Loop& loop, StoreOptions options) {
  auto lock = FolderLock::Take(options.folder);
  if (!lock) return base::Fail(lock.error());
  auto table = SpoolTable::Open(PathIn(options.folder));
  if (!table) return base::Fail(table.error());
  return std::unique_ptr<Store>(
      new Store(loop, std::move(options), std::move(*lock), std::move(*table)));
}

Store::Store(base::Loop& loop, StoreOptions options, FolderLock lock, SpoolTable table)
    : options_(std::move(options)),
      lock_(std::move(lock)),
      table_(std::move(table)),
      answers_(loop) {
  thread_ = std::thread([this] { Work(); });
  pthread_setname_np(thread_.native_handle(), "store");
}

Store::~Store() {
  answers_.Stop();
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Store::Put(std::vector<Row> rows, OnPut on_put) {
  const std::lock_guard lock(mutex_);
  jobs_.puts.push_back({std::move(rows), std::move(on_put)});
  wake_.notify_one();
}

void Store::Remove(std::vector<int64_t> ids) {
  const std::lock_guard lock(mutex_);
  jobs_.removes.insert(jobs_.removes.end(), ids.begin(), ids.end());
  wake_.notify_one();
}

void Store::Read(int64_t after, size_t most_rows, size_t most_bytes, OnRead on_read) {
  const std::lock_guard lock(mutex_);
  jobs_.reads.push_back({after, most_rows, most_bytes, std::move(on_read)});
  wake_.notify_one();
}

// ---- the writer's thread

void Store::Work() {
  std::unique_lock lock(mutex_);
  while (true) {
    const auto ready = [this] { return stop_ || !jobs_.empty(); };
    if (late_removes_.empty()) {
      wake_.wait(lock, ready);
    } else {
      wake_.wait_for(lock, kRemoveAgain, ready);
    }
    if (stop_) return;
    Jobs jobs = std::exchange(jobs_, {});
    lock.unlock();
    Write(jobs);
    Read(jobs);
    lock.lock();
  }
}

void Store::Write(Jobs& jobs) {
  jobs.removes.insert(jobs.removes.end(), late_removes_.begin(), late_removes_.end());
  late_removes_.clear();
  if (jobs.puts.empty() && jobs.removes.empty()) return;
  base::Result<void> written = Reopen();
  if (written && !jobs.puts.empty()) {
    // A full spool takes no more rows, but those that it has leave it.
    if (const auto room = CheckRoom(); !room) AnswerPuts(std::exchange(jobs.puts, {}), room);
  }
  if (written) written = WriteOpen(jobs);
  if (!written) {
    // Whether a commit that failed is in the file can't be known: the file says so when it is
    // opened again, and nobody was told that the rows are safe.
    table_.reset();
    late_removes_ = std::move(jobs.removes);
    Log(Level::kError, "the spool can't be written",
        {{"error", written.error().message}, {"hint", written.error().hint}});
  }
  AnswerPuts(std::move(jobs.puts), written);
}

base::Result<void> Store::WriteOpen(Jobs& jobs) {
  if (auto begun = table_->Begin(); !begun) return begun;
  for (const int64_t id : jobs.removes)
    if (auto removed = table_->Remove(id); !removed) return removed;
  for (PutJob& put : jobs.puts)
    for (Row& row : put.rows)
      if (auto inserted = table_->Insert(row); !inserted) return inserted;
  return table_->Commit();
}

void Store::AnswerPuts(std::vector<PutJob> puts, const base::Result<void>& written) {
  for (PutJob& put : puts) {
    base::Result<std::vector<int64_t>> result;
    if (written) {
      for (const Row& row : put.rows) result->push_back(row.id);
    } else {
      result = base::Fail(written.error());
    }
    answers_.Post([on_put = std::move(put.on_put), result = std::move(result)] { on_put(result); });
  }
}

base::Result<void> Store::CheckRoom() {
  const auto used = table_->BytesUsed();
  if (!used) return base::Fail(used.error());
  if (static_cast<uint64_t>(*used) < options_.max_bytes) return {};
  return base::Fail({base::Code::kUnavailable, "the spool is full",
                     "spool.maxBytes is " + std::to_string(options_.max_bytes) + " bytes", true});
}

void Store::Read(Jobs& jobs) {
  for (ReadJob& read : jobs.reads) {
    base::Result<SpoolTable::Page> page;
    if (const auto open = Reopen(); !open) {
      page = base::Fail(open.error());
    } else {
      page = table_->Read(read.after, read.most_rows, read.most_bytes);
      if (!page) table_.reset();
    }
    answers_.Post([on_read = std::move(read.on_read), page = std::move(page)]() mutable {
      on_read(std::move(page));
    });
  }
}

base::Result<void> Store::Reopen() {
  if (table_) return {};
  auto opened = SpoolTable::Open(PathIn(options_.folder));
  if (!opened) return base::Fail(opened.error());
  table_ = std::move(*opened);
  return {};
}

}  // namespace outrigger::store
