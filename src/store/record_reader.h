// The records of a database's tables, read from its pages without SQLite.
//
// Thread: one at a time. Errors: none; what is no record is not told.
// Source: sqlite.org/fileformat2.html, "B-tree Pages", "Record Format".
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "store/damaged_pages.h"

namespace outrigger::store {

class RecordReader {
 public:
  explicit RecordReader(const DamagedPages& pages) : pages_(pages) {}

  using Value = std::variant<std::monostate, int64_t, std::string>;  // NULL; text or a blob
  struct Record {
    int64_t row = 0;
    std::vector<Value> values;
    bool listed = false;      // its page has it in its list of records
    bool whole_page = false;  // that page is as it was committed

    // As those of Statement. A first column that is NULL is the row's number.
    int64_t Number(size_t column) const;
    std::string Text(size_t column) const { return Bytes(column).value_or(std::string()); }
    std::optional<std::string> Bytes(size_t column) const;
  };
  using Visit = std::function<void(Record)>;
  // Every record of the page, in each of its images. Of an image that is damaged first what looks
  // like a record anywhere in it, and then those in its list, so one may come twice.
  void VisitPage(uint32_t page, const Visit& visit) const;

 private:
  void VisitListed(const DamagedPages::Image& image, size_t header, const Visit& visit) const;
  void VisitAny(const DamagedPages::Image& image, const Visit& visit) const;
  std::optional<Record> RecordAt(const DamagedPages::Image& image, size_t offset) const;
  bool AppendOverflow(std::string& payload, uint64_t size, uint32_t page,
                      const DamagedPages::Image& image) const;

  const DamagedPages& pages_;
};

}  // namespace outrigger::store
