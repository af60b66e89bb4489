#include "base/nearest.h"

#include <algorithm>

#include "base/ascii.h"

namespace outrigger::base {
namespace {

// Names that differ only in case or in their separators are the same name.
std::string Folded(std::string_view name) {
  std::string folded;
  for (const char c : name)
    if (c != '_' && c != '-' && c != ' ') folded += LowerAscii(c);
  return folded;
}

// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours cost 1.
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) now[j] = std::min(now[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(now);
  }
  return last[b.size()];
}

}  // namespace

std::string Nearest(std::string_view name, const std::vector<std::string>& known) {
  if (name.size() > 64) return {};  // no typing error of a name, and the distance costs its square
  const std::string folded = Folded(name);
  std::string nearest;
  size_t best = std::max<size_t>(1, folded.size() / 3) + 1;
  for (const std::string& candidate : known) {
    const size_t distance = Distance(folded, Folded(candidate));
    if (distance >= best) continue;
    best = distance;
    nearest = candidate;
  }
  return nearest;
}

}  // namespace outrigger::base
