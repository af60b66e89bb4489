#include "deliver/accusations.h"

#include <iterator>

namespace outrigger::deliver {
namespace {

constexpr size_t kMostKeys = 4096;
constexpr uint32_t kEpisodes = 2;

}  // namespace

bool Accusations::OnFailure(uint64_t key, base::TimePoint now) {
  if (ToBlame(key, now)) {
    blamed_[key] = now + window_;
    return false;
  }
  if (accused_.size() >= kMostKeys && !accused_.contains(key)) accused_.clear();
  Accused& accused = accused_[key];
  accused.at = now;
  accused.episode = episode_;
  return true;
}

void Accusations::OnSuccess(uint64_t key, base::TimePoint begun, base::TimePoint now,
                            bool recovered) {
  accused_.erase(key);
  blamed_.erase(key);
  for (auto at = accused_.begin(); at != accused_.end();) {
    Accused& accused = at->second;
    const bool judged = accused.at <= begun && accused.episode == episode_ &&
                        (!recovered || ++accused.episodes >= kEpisodes);
    if (judged) Blame(at->first, now);
    at = judged ? accused_.erase(at) : std::next(at);
  }
  if (recovered) ++episode_;
}

void Accusations::Blame(uint64_t key, base::TimePoint now) {
  if (blamed_.size() >= kMostKeys && !blamed_.contains(key)) blamed_.clear();
  blamed_[key] = now + window_;
}

bool Accusations::ToBlame(uint64_t key, base::TimePoint now) const {
  const auto blamed = blamed_.find(key);
  return blamed != blamed_.end() && now < blamed->second;
}

}  // namespace outrigger::deliver
