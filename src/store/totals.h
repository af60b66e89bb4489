// How many records of each topic the spool has, kept in the table `totals` (SCHEMA.md), so that
// opening a large file does not read all of it.
//
// Thread: that of the database. Errors: of the disk and of SQLite.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "store/row.h"
#include "store/sqlite.h"

namespace outrigger::store {

class Totals {
 public:
  struct Topic {
    uint64_t records = 0;
    uint64_t bytes = 0;  // the sum of Row::bytes()
  };
  using Topics = std::map<std::string, Topic>;

  static base::Result<Totals> Load(Database& database);

  void Add(const std::string& topic, uint64_t bytes);
  void Take(const std::string& topic, uint64_t bytes);
  // Writes what has changed, in the transaction under way.
  base::Result<void> Save();

  const Topics& topics() const { return topics_; }

 private:
  Topics topics_;
  std::set<std::string> changed_;
  Statement save_;
  Statement erase_;
};

}  // namespace outrigger::store
