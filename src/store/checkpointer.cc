#include "store/checkpointer.h"

#include <pthread.h>

#include <utility>

namespace outrigger::store {

base::Result<std::unique_ptr<Checkpointer>> Checkpointer::Open(const std::string& path) {
  auto database = Database::Open(path);
  if (!database) return base::Fail(database.error());
  // SQLite finds out that there is a log when it reads.
  if (auto read = database->Number("PRAGMA schema_version"); !read) return base::Fail(read.error());
  return std::unique_ptr<Checkpointer>(new Checkpointer(std::move(*database)));
}

Checkpointer::Checkpointer(Database database) : database_(std::move(database)) {
  side_.Run([] { pthread_setname_np(pthread_self(), "checkpoint"); });
}

void Checkpointer::Start() {
  {
    const std::lock_guard lock(mutex_);
    if (state_.at_work || state_.error) return;
    state_.at_work = true;
  }
  side_.Run([this] { Work(); });
}

void Checkpointer::Wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !state_.at_work; });
  state_.copied = 0;
}

Checkpointer::State Checkpointer::state() {
  const std::lock_guard lock(mutex_);
  return state_;
}

void Checkpointer::Work() {
  auto copied = Copy();
  const std::lock_guard lock(mutex_);
  state_.at_work = false;
  if (copied)
    state_.copied = *copied;
  else
    state_.error = std::move(copied.error());
  changed_.notify_all();
}

base::Result<int64_t> Checkpointer::Copy() {
  auto copied = database_.CopyLog();
  if (!copied) return copied;
  // SQLite does it only where nothing was written meanwhile. Then it would be left to the one who
  // copies the rest.
  if (auto synced = database_.SyncFile(); !synced) return base::Fail(synced.error());
  return copied;
}

}  // namespace outrigger::store
