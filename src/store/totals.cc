#include "store/totals.h"

#include <algorithm>
#include <utility>

namespace outrigger::store {

base::Result<Totals> Totals::Load(Database& database) {
  Totals totals;
  auto save = database.Prepare(
      "INSERT INTO totals (topic, records, bytes) VALUES (?, ?, ?) "
      "ON CONFLICT (topic) DO UPDATE SET records = excluded.records, bytes = excluded.bytes");
  if (!save) return base::Fail(save.error());
  auto erase = database.Prepare("DELETE FROM totals WHERE topic = ?");
  if (!erase) return base::Fail(erase.error());
  auto load = database.Prepare("SELECT topic, records, bytes FROM totals");
  if (!load) return base::Fail(load.error());
  base::Result<bool> row;
  while ((row = load->Step()) && *row)
    totals.topics_[load->Text(0)] = {static_cast<uint64_t>(load->Number(1)),
                                     static_cast<uint64_t>(load->Number(2))};
  if (!row) return base::Fail(row.error());
  totals.save_ = std::move(*save);
  totals.erase_ = std::move(*erase);
  return totals;
}

void Totals::Add(const std::string& topic, uint64_t bytes) {
  Topic& of_topic = topics_[topic];
  ++of_topic.records;
  of_topic.bytes += bytes;
  changed_.insert(topic);
}

void Totals::Take(const std::string& topic, uint64_t bytes) {
  const auto found = topics_.find(topic);
  if (found == topics_.end()) return;
  if (--found->second.records == 0)
    topics_.erase(found);
  else
    found->second.bytes -= std::min(bytes, found->second.bytes);
  changed_.insert(topic);
}

base::Result<void> Totals::Save() {
  for (const std::string& topic : changed_) {
    const auto found = topics_.find(topic);
    Statement& statement = found == topics_.end() ? erase_ : save_;
    statement.Bind(1, topic);
    if (found != topics_.end()) {
      statement.Bind(2, static_cast<int64_t>(found->second.records));
      statement.Bind(3, static_cast<int64_t>(found->second.bytes));
    }
    if (auto saved = statement.Run(); !saved) return saved;
  }
  changed_.clear();
  return {};
}

}  // namespace outrigger::store
