// Makes a new file of the spool from a damaged one: every row that is whole comes back, whether or
// not SQLite finds the way to it. A row that was removed may come back, too, where the pages that
// say so are damaged.
//
// The damaged file and its log are kept under other names, and never deleted. A crash or an error
// in the middle leaves them as they were, or is completed by FinishSalvage. Thread: any. Errors: of
// the disk, above all that it has no room for the new file.
#pragma once

#include <string>

#include "base/result.h"
#include "store/spool_file.h"

namespace outrigger::store {

// The file at `path` must not be open.
base::Result<Salvage> SalvageFile(const std::string& path);

// Before the file is opened: completes a salvage that was interrupted.
base::Result<void> FinishSalvage(const std::string& path);

// A database of somebody else. One of ours differs in several places, so damage does not make it
// one.
bool IsForeign(const std::string& path);

// Whether the log beside the file is damaged where SQLite would take it for its end.
bool LogIsDamaged(const std::string& path);

}  // namespace outrigger::store
