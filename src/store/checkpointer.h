// Copies the log of a database into the database, by a connection of its own: commits do not wait
// for that, and the log goes on growing meanwhile.
//
// Thread: calls from that of the database's other connection; the copying is on its own. Lifetime:
// destroying it waits for what is under way. Errors: the first one stays, and nothing more is
// copied; the database is to be closed and opened again.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/side_thread.h"
#include "store/sqlite.h"

namespace outrigger::store {

class Checkpointer {
 public:
  static base::Result<std::unique_ptr<Checkpointer>> Open(const std::string& path);

  // Copies what is in the log now. Nothing, where it is at work.
  void Start();
  // Until it is not at work. The caller copies the rest, so state().copied is 0.
  void Wait();

  struct State {
    bool at_work = false;
    int64_t copied = 0;  // so many pages of the log, when it ended last
    std::optional<base::Error> error;
  };
  State state();

 private:
  explicit Checkpointer(Database database);
  void Work();
  base::Result<int64_t> Copy();

  Database database_;
  std::mutex mutex_;
  std::condition_variable changed_;
  State state_;
  base::SideThread side_;  // ends before what it works with
};

}  // namespace outrigger::store
