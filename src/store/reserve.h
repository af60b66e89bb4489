// A file that only takes room. It is given up when the disk is full, so that rows can leave the
// spool, which writes to the log first; and made again when there is room.
//
// Thread: one at a time. Errors: none; without it a full disk keeps rows until space is free.
#pragma once

#include <string>

#include "base/clock.h"

namespace outrigger::store {

class Reserve {
 public:
  explicit Reserve(const std::string& folder) : path_(folder + "/outrigger.reserve") {}

  // Whether it is there. Where it is not, it is made if the disk has room for more than it, at most
  // twice a second.
  bool Have(base::TimePoint now);
  void GiveUp();

 private:
  bool Make() const;

  std::string path_;
  bool there_ = false;
  base::TimePoint next_try_{};
};

}  // namespace outrigger::store
