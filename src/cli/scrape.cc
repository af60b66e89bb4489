#include "cli/scrape.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>

namespace outrigger::cli {
namespace {

bool Fits(const Scrape::Labels& labels, const Scrape::Labels& wanted) {
  return std::ranges::all_of(wanted, [&](const auto& each) {
    const auto found = labels.find(each.first);
    return found != labels.end() && found->second == each.second;
  });
}

// `text` begins behind the opening brace; returns what follows the closing one.
std::string_view ReadLabels(std::string_view text, Scrape::Labels& labels) {
  while (!text.empty() && text.front() != '}') {
    const size_t equals = text.find("=\"");
    if (equals == text.npos) return {};
    const std::string name(text.substr(0, equals));
    text.remove_prefix(equals + 2);
    std::string value;
    for (; !text.empty() && text.front() != '"'; text.remove_prefix(1)) {
      if (text.front() == '\\' && text.size() > 1) {
        text.remove_prefix(1);
        value += text.front() == 'n' ? '\n' : text.front();
      } else {
        value += text.front();
      }
    }
    labels[name] = std::move(value);
    text.remove_prefix(std::min<size_t>(text.size(), 1));
    if (text.starts_with(',')) text.remove_prefix(1);
  }
  return text.empty() ? text : text.substr(1);
}

}  // namespace

Scrape::Scrape(std::string_view text) {
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.empty() || line.front() == '#') continue;
    const size_t end = line.find_first_of("{ ");
    if (end == line.npos) continue;
    const std::string name(line.substr(0, end));
    Sample sample;
    line.remove_prefix(end);
    if (line.front() == '{') line = ReadLabels(line.substr(1), sample.labels);
    sample.value = std::strtod(std::string(line).c_str(), nullptr);
    samples_[name].push_back(std::move(sample));
  }
}

double Scrape::Sum(const std::string& name, const Labels& labels) const {
  double sum = 0;
  if (const auto found = samples_.find(name); found != samples_.end())
    for (const auto& sample : found->second)
      if (Fits(sample.labels, labels)) sum += sample.value;
  return sum;
}

double Scrape::Max(const std::string& name, const Labels& labels) const {
  double most = 0;
  if (const auto found = samples_.find(name); found != samples_.end())
    for (const auto& sample : found->second)
      if (Fits(sample.labels, labels)) most = std::max(most, sample.value);
  return most;
}

size_t Scrape::Count(const std::string& name, const Labels& labels) const {
  const auto found = samples_.find(name);
  if (found == samples_.end()) return 0;
  return static_cast<size_t>(std::ranges::count_if(
      found->second, [&](const auto& sample) { return Fits(sample.labels, labels); }));
}

std::vector<std::string> Scrape::Values(const std::string& name, const std::string& label) const {
  std::set<std::string> values;
  if (const auto found = samples_.find(name); found != samples_.end())
    for (const auto& sample : found->second)
      if (const auto value = sample.labels.find(label); value != sample.labels.end())
        values.insert(value->second);
  return {values.begin(), values.end()};
}

std::map<double, double> Scrape::Buckets(const std::string& name, const Labels& labels) const {
  std::map<double, double> buckets;
  const auto found = samples_.find(name + "_bucket");
  if (found == samples_.end()) return buckets;
  for (const auto& sample : found->second) {
    if (!Fits(sample.labels, labels)) continue;
    const auto bound = sample.labels.find("le");
    if (bound != sample.labels.end())
      buckets[std::strtod(bound->second.c_str(), nullptr)] += sample.value;
  }
  return buckets;
}

std::optional<double> Scrape::Quantile(const std::string& name, const Labels& labels, double q,
                                       const Scrape* before) const {
  std::map<double, double> buckets = Buckets(name, labels);
  if (before)
    for (const auto& [bound, count] : before->Buckets(name, labels)) buckets[bound] -= count;
  if (buckets.empty() || buckets.rbegin()->second <= 0) return std::nullopt;
  const double rank = q * buckets.rbegin()->second;
  double last = 0;
  for (const auto& [bound, count] : buckets) {
    if (!std::isinf(bound)) last = bound;
    if (count >= rank) return last;
  }
  return last;
}

}  // namespace outrigger::cli
