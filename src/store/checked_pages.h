// A checksum in each page of a database: a page that the disk has changed is an error when it is
// read, and never misleads SQLite.
//
// It is a VFS of SQLite around that of sync_failures.h, and has the last 8 bytes of each page,
// which the database reserves for it (Database::Open). Only the database has them: the log has
// checksums of its own. Thread: any. Source: sqlite.org/vfs.html; the sums are those of
// sqlite.org/fileformat2.html, "Checksum Algorithm", little endian.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace outrigger::store {

inline constexpr size_t kPageBytes = 4096;
inline constexpr size_t kPageSumBytes = 8;

// The name of the VFS, which the first call registers.
const char* CheckedPages();

using PageBytes = std::span<const unsigned char, kPageBytes>;
bool PageIsWhole(PageBytes page);

}  // namespace outrigger::store
