#include "publish/query.h"

#include <algorithm>
#include <string>

namespace outrigger::publish {

base::Result<void> CheckQuery(const http::Head& head, const Endpoint& endpoint) {
  const auto& names = endpoint.query;
  const auto wrong = [&](const std::string& name, const char* what) {
    std::string all;
    for (const auto known : names) all.append(all.empty() ? "" : ", ").append(known);
    return base::Fail(base::Error::Invalid(
        "?" + name + "= " + what + "; " + (endpoint.Takes("POST") ? "POST " : "GET ") +
        std::string(endpoint.pattern) + " takes " + (all.empty() ? "none" : all)));
  };
  for (auto parameter = head.query.begin(); parameter != head.query.end(); ++parameter) {
    const std::string& name = parameter->first;
    if (std::find(names.begin(), names.end(), name) == names.end())
      return wrong(name, "is not known");
    if (head.Query(name) != &parameter->second) return wrong(name, "appears twice");
  }
  return {};
}

}  // namespace outrigger::publish
