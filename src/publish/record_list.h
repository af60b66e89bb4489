// Records of the spool and of its quarantine as JSON: {"records":[…],"next":17}. The API answers
// it, and so does the command line for the file of a stopped sidecar.
//
// Each record is complete: it can be published again. Pure. Source: src/publish/README.md, "The
// spool".
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "store/store.h"

namespace outrigger::publish {

// What one answer reads from the disk at most, beside a last record of any size.
inline constexpr size_t kListBytes = 256 << 10;
// The most records of one answer, and the most ids of one change.
inline constexpr size_t kListRecords = 500;

// Whether the answer may take so many bytes.
using ReserveList = std::function<bool(uint64_t bytes)>;

// A page: records of `topic` (empty: of all). `next` is what was looked at last, and absent where
// nothing was left to look at; a page without records may have it. nullopt: no room for a record.
std::optional<std::string> ListJson(store::SpoolTable::Page page, const std::string& topic,
                                    const ReserveList& reserve);
std::optional<std::string> ListJson(const std::vector<store::QuarantinedRow>& rows,
                                    const std::string& topic, const ReserveList& reserve);
// Those of one event. nullopt: no room for all of them.
std::optional<std::string> ListJson(store::Store::Found found, const ReserveList& reserve);

}  // namespace outrigger::publish
