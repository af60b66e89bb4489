// The samples of one answer of /metrics.
//
// Pure. Source: the text exposition format of Prometheus, version 0.0.4.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace outrigger::cli {

class Scrape {
 public:
  using Labels = std::map<std::string, std::string>;

  // Lines that are no samples are passed over.
  explicit Scrape(std::string_view text);

  bool Has(const std::string& name) const { return samples_.contains(name); }
  // Over all series that have these labels; 0, if there is none.
  double Sum(const std::string& name, const Labels& labels = {}) const;
  double Max(const std::string& name, const Labels& labels = {}) const;
  size_t Count(const std::string& name, const Labels& labels = {}) const;
  // The values that a label has, in alphabetical order.
  std::vector<std::string> Values(const std::string& name, const std::string& label) const;
  // The upper bound of the histogram's bucket with the quantile `q` of what was observed since
  // `before`; nothing: nothing was. Beyond the last bucket it is that one's.
  std::optional<double> Quantile(const std::string& name, const Labels& labels, double q,
                                 const Scrape* before) const;

 private:
  struct Sample {
    Labels labels;
    double value = 0;
  };

  // Bucket bound → how many observations are not above it.
  std::map<double, double> Buckets(const std::string& name, const Labels& labels) const;

  std::map<std::string, std::vector<Sample>> samples_;
};

}  // namespace outrigger::cli
