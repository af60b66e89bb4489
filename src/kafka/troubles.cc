#include "kafka/troubles.h"

#include <utility>

namespace outrigger::kafka {

bool Troubles::Begin(Trouble trouble, const std::string& where, std::string text) {
  std::string& known = texts_[{trouble, where}];
  if (known == text) return false;
  known = std::move(text);
  return true;
}

bool Troubles::End(Trouble trouble, const std::string& where) {
  return texts_.erase({trouble, where}) > 0;
}

bool Troubles::EndAll(Trouble trouble) {
  return std::erase_if(texts_,
                       [trouble](const auto& each) { return each.first.first == trouble; }) > 0;
}

bool Troubles::holds(Trouble trouble) const {
  const auto first = texts_.lower_bound({trouble, {}});
  return first != texts_.end() && first->first.first == trouble;
}

bool Troubles::holds(Trouble trouble, const std::string& where) const {
  return texts_.contains({trouble, where});
}

std::vector<Troubles::Entry> Troubles::all() const {
  std::vector<Entry> all;
  all.reserve(texts_.size());
  for (const auto& [key, text] : texts_) all.push_back({key.first, key.second, text});
  return all;
}

}  // namespace outrigger::kafka
