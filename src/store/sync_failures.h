// A disk on which an fsync that failed is not forgotten: after it, each fsync of that database and
// of its log fails, until all connections of this process have closed them.
//
// The system drops what an fsync could not write, and the next one succeeds. With two connections
// that may be the other's: it would acknowledge, or copy into the database, what is not on the
// disk. It is a VFS of SQLite around the default one. Thread: any. Source: sqlite.org/vfs.html,
// "Can Applications Recover from fsync Failures?" (Rebello et al., 2020).
#pragma once

#include <sqlite3.h>

namespace outrigger::store {

// The VFS, which the first call makes. It is not registered: others are made around it.
sqlite3_vfs* SyncFailures();

}  // namespace outrigger::store
