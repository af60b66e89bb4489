#include "store/store.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/fail_point.h"

namespace outrigger::store {
namespace {

// So that many fit into the log of a spool that is full.
constexpr size_t kRemovedTogether = 512;

int64_t NowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// That the spool is full is an answer to the rows, and no error of the transaction.
struct PutAnswer {
  base::Result<Store::Placements> placements;
};

// Rows that are all there already need no room.
base::Result<PutAnswer> AnswerWithoutRoom(SpoolFile& file, const std::vector<Row>& rows,
                                          const base::Error& error) {
  Store::Placements placements;
  for (const Row& row : rows) {
    const auto same = file.spool().FindSame(row);
    if (!same) return base::Fail(same.error());
    if (same->id == 0) return PutAnswer{base::Fail(error)};
    placements.push_back(*same);
  }
  return PutAnswer{std::move(placements)};
}

}  // namespace

base::Result<std::unique_ptr<Store>> Store::Open(base::Loop& loop, StoreOptions options) {
  auto folder = SpoolFolder::Take(options.folder, options.log_pages);
  if (!folder) return base::Fail(folder.error());
  folder->SetCacheBytes(options.cache_bytes);
  auto file = folder->OpenFile();
  if (!file) return base::Fail(file.error());
  auto found = file->Count();
  if (!found && found.error().code == kDamaged) {
    file = base::Fail(found.error());  // closed before it is salvaged
    file = folder->OpenFile(true);
    if (!file) return base::Fail(file.error());
    found = file->Count();
  }
  if (!found) return base::Fail(found.error());
  found->salvage = folder->salvage();
  base::Reach(base::FailPoint::kStoreOpened);
  auto writer =
      std::make_unique<Writer>(std::move(*folder), std::move(*file), options.max_bytes,
                               std::move(options.on_commit), std::move(options.on_salvage));
  return std::unique_ptr<Store>(new Store(loop, std::move(*found), std::move(writer)));
}

Store::Store(base::Loop& loop, Contents found, std::unique_ptr<Writer> writer)
    : found_(std::move(found)), answers_(loop), writer_(std::move(writer)) {}

Store::~Store() { answers_.Stop(); }

uint64_t Store::memory_bytes() { return static_cast<uint64_t>(sqlite3_memory_used()); }

template <typename Answer, typename Run>
Writer::Job Store::JobOf(Run run, On<Answer> on_answer) {
  auto answer = std::make_shared<base::Result<Answer>>();
  return {.run = [answer, run = std::move(run)](SpoolFile& file) mutable -> base::Result<void> {
            *answer = run(file);
            if (!*answer) return base::Fail(answer->error());
            return {};
          },
          .done =
              [this, answer, on_answer = std::move(on_answer)](const base::Result<void>& done) {
                if (!done) *answer = base::Fail(done.error());
                answers_.Post([answer, on_answer] { on_answer(std::move(*answer)); });
              }};
}

void Store::Put(std::vector<Row> rows, On<Placements> on_put) {
  const size_t count = rows.size();
  auto put = [rows = std::move(rows)](SpoolFile& file) mutable -> base::Result<PutAnswer> {
    base::Reach(base::FailPoint::kInsert);
    if (auto room = file.TakeRoom(rows); !room) return AnswerWithoutRoom(file, rows, room.error());
    Placements placements;
    for (Row& row : rows) {
      const auto placed = file.spool().Put(row);
      if (!placed) return base::Fail(placed.error());
      placements.push_back(*placed);
    }
    base::Reach(base::FailPoint::kInserted);
    return PutAnswer{std::move(placements)};
  };
  auto on_answer = [on_put = std::move(on_put)](base::Result<PutAnswer> answer) {
    on_put(answer ? std::move(answer->placements) : base::Fail(answer.error()));
  };
  Writer::Job job = JobOf<PutAnswer>(std::move(put), std::move(on_answer));
  job.rows = count;
  job.grows = true;
  writer_->Write(std::move(job));
}

void Store::Remove(std::vector<int64_t> ids) {
  for (size_t from = 0; from < ids.size(); from += kRemovedTogether) {
    const auto first = ids.begin() + static_cast<ptrdiff_t>(from);
    const size_t count = std::min(kRemovedTogether, ids.size() - from);
    auto remove = [part = Ids(first, first + static_cast<ptrdiff_t>(count))](
                      SpoolFile& file) -> base::Result<void> {
      base::Reach(base::FailPoint::kRemove);
      for (const int64_t id : part)
        if (auto removed = file.spool().Remove(id); !removed) return removed;
      base::Reach(base::FailPoint::kRemoved);
      return {};
    };
    writer_->Write({.run = std::move(remove), .done = nullptr, .rows = count, .persistent = true});
  }
}

void Store::Read(int64_t after, size_t most_rows, size_t most_bytes, On<SpoolTable::Page> on_read) {
  writer_->Read(JobOf<SpoolTable::Page>(
      [=](SpoolFile& file) {
        base::Reach(base::FailPoint::kRead);
        return file.spool().Read(after, most_rows, most_bytes);
      },
      std::move(on_read)));
}

void Store::Find(std::string event_id, On<Found> on_found) {
  writer_->Read(JobOf<Found>(
      [event_id = std::move(event_id)](SpoolFile& file) -> base::Result<Found> {
        auto spooled = file.spool().Find(event_id);
        if (!spooled) return base::Fail(spooled.error());
        auto quarantined = file.quarantine().Find(event_id);
        if (!quarantined) return base::Fail(quarantined.error());
        return Found{std::move(*spooled), std::move(*quarantined)};
      },
      std::move(on_found)));
}

void Store::Quarantine(int64_t id, std::string reason, std::string detail, On<bool> on_done) {
  writer_->Write(JobOf<bool>(
      [=, reason = std::move(reason), detail = std::move(detail)](SpoolFile& file) {
        base::Reach(base::FailPoint::kQuarantine);
        auto moved = file.Quarantine(id, reason, detail, NowMs());
        base::Reach(base::FailPoint::kQuarantined);
        return moved;
      },
      std::move(on_done)));
}

void Store::ListQuarantine(int64_t after, size_t most_rows, size_t most_bytes,
                           On<QuarantinedRows> on_listed) {
  writer_->Read(JobOf<QuarantinedRows>(
      [=](SpoolFile& file) { return file.quarantine().List(after, most_rows, most_bytes); },
      std::move(on_listed)));
}

void Store::Requeue(Ids ids, On<Changes> on_done) {
  Apply(&SpoolFile::Requeue, std::move(ids), std::move(on_done));
}

void Store::Drop(Ids ids, On<Changes> on_done) {
  Apply(&SpoolFile::Drop, std::move(ids), std::move(on_done));
}

void Store::DropQuarantined(Ids ids, On<Changes> on_done) {
  Apply(&SpoolFile::DropQuarantined, std::move(ids), std::move(on_done));
}

void Store::Apply(Change change, Ids ids, On<Changes> on_done) {
  const size_t count = ids.size();
  Writer::Job job = JobOf<Changes>(
      [change, ids = std::move(ids)](SpoolFile& file) -> base::Result<Changes> {
        Changes changes;
        for (const int64_t id : ids) {
          auto row = (file.*change)(id);
          if (!row) return base::Fail(row.error());
          auto& changed = changes.emplace_back();
          if (!*row) continue;
          changed = Changed{std::move(**row), 0};
          changed->bytes = changed->row.bytes();
          changed->row.record.value.reset();
          changed->row.record.headers.clear();
        }
        return changes;
      },
      std::move(on_done));
  job.rows = count;
  job.grows = change == &SpoolFile::Requeue;
  writer_->Write(std::move(job));
}

}  // namespace outrigger::store
