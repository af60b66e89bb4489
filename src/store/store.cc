#include "store/store.h"

#include <utility>

namespace outrigger::store {
namespace {

std::string PathIn(const std::string& folder) { return folder + "/outrigger.db"; }

int64_t NowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// That the spool is full is an answer to the rows, and no error of the transaction.
struct PutAnswer {
  base::Result<Store::Placements> placements;
};

}  // namespace

base::Result<std::unique_ptr<Store>> Store::Open(base::Loop& loop, StoreOptions options) {
  auto lock = FolderLock::Take(options.folder);
  if (!lock) return base::Fail(lock.error());
  auto file = SpoolFile::Open(PathIn(options.folder));
  if (!file) return base::Fail(file.error());
  auto found = file->Count();
  if (!found) return base::Fail(found.error());
  return std::unique_ptr<Store>(
      new Store(loop, std::move(options), std::move(*lock), std::move(*file), std::move(*found)));
}

Store::Store(base::Loop& loop, StoreOptions options, FolderLock lock, SpoolFile file,
             Contents found)
    : lock_(std::move(lock)),
      found_(std::move(found)),
      answers_(loop),
      writer_(std::make_unique<Writer>(PathIn(options.folder), std::move(file), options.max_bytes,
                                       std::move(options.on_commit))) {}

Store::~Store() { answers_.Stop(); }

template <typename Answer, typename Run>
Writer::Job Store::JobOf(Run run, On<Answer> on_answer) {
  auto answer = std::make_shared<base::Result<Answer>>();
  return {[answer, run = std::move(run)](SpoolFile& file) mutable -> base::Result<void> {
            *answer = run(file);
            if (!*answer) return base::Fail(answer->error());
            return {};
          },
          [this, answer, on_answer = std::move(on_answer)](const base::Result<void>& done) {
            if (!done) *answer = base::Fail(done.error());
            answers_.Post([answer, on_answer] { on_answer(std::move(*answer)); });
          }};
}

void Store::Put(std::vector<Row> rows, On<Placements> on_put) {
  auto put = [rows = std::move(rows)](SpoolFile& file) mutable -> base::Result<PutAnswer> {
    if (auto room = file.CheckRoom(); !room) return PutAnswer{base::Fail(room.error())};
    Placements placements;
    for (Row& row : rows) {
      const auto placed = file.spool().Put(row);
      if (!placed) return base::Fail(placed.error());
      placements.push_back(*placed);
    }
    return PutAnswer{std::move(placements)};
  };
  auto on_answer = [on_put = std::move(on_put)](base::Result<PutAnswer> answer) {
    on_put(answer ? std::move(answer->placements) : base::Fail(answer.error()));
  };
  writer_->Write(JobOf<PutAnswer>(std::move(put), std::move(on_answer)));
}

void Store::Remove(std::vector<int64_t> ids) {
  writer_->Write({[ids = std::move(ids)](SpoolFile& file) -> base::Result<void> {
                    for (const int64_t id : ids)
                      if (auto removed = file.spool().Remove(id); !removed) return removed;
                    return {};
                  },
                  nullptr, true});
}

void Store::Read(int64_t after, size_t most_rows, size_t most_bytes, On<SpoolTable::Page> on_read) {
  writer_->Read(JobOf<SpoolTable::Page>(
      [=](SpoolFile& file) { return file.spool().Read(after, most_rows, most_bytes); },
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
        return file.Quarantine(id, reason, detail, NowMs());
      },
      std::move(on_done)));
}

void Store::ListQuarantine(int64_t after, size_t most, On<QuarantinedRows> on_listed) {
  writer_->Read(JobOf<QuarantinedRows>(
      [=](SpoolFile& file) { return file.quarantine().List(after, most); }, std::move(on_listed)));
}

void Store::Requeue(Ids ids, On<Ids> on_done) {
  writer_->Write(JobOf<Ids>(
      [ids = std::move(ids)](SpoolFile& file) -> base::Result<Ids> {
        Ids now;
        for (const int64_t id : ids) {
          const auto requeued = file.Requeue(id);
          if (!requeued) return base::Fail(requeued.error());
          now.push_back(*requeued);
        }
        return now;
      },
      std::move(on_done)));
}

void Store::Drop(Ids ids, On<uint64_t> on_done) {
  writer_->Write(JobOf<uint64_t>(
      [ids = std::move(ids)](SpoolFile& file) -> base::Result<uint64_t> {
        uint64_t dropped = 0;
        for (const int64_t id : ids) {
          const auto removed = file.quarantine().Remove(id);
          if (!removed) return base::Fail(removed.error());
          if (*removed) ++dropped;
        }
        return dropped;
      },
      std::move(on_done)));
}

}  // namespace outrigger::store
