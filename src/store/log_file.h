// The log of a database that is not open.
//
// Thread: any. Errors: of the disk.
#pragma once

#include <string>

#include "base/result.h"

namespace outrigger::store {

// Writes what the log has once more, and syncs it. After an fsync that failed, the log reads as if
// it were on the disk, and no later fsync writes it: were the database then changed by what is in
// it, a power cut would leave a log that undoes a part of that. `path`: of the database.
base::Result<void> WriteLogAgain(const std::string& path);

}  // namespace outrigger::store
