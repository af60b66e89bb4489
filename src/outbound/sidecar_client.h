// A client of a running sidecar, for the command line. Built on cpprestsdk: speed does not matter
// here.
//
// Thread: calls block; use it from one thread. Errors say what to do (is the sidecar running? which
// URL?).
#pragma once

#include <functional>
#include <istream>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace outrigger::outbound {

struct Answer {
  int status = 0;
  std::string body;
};

struct SidecarAddress {
  std::string url = "http://127.0.0.1:8800";
  std::string token;  // empty: none is sent
};

using Query = std::vector<std::pair<std::string, std::string>>;

base::Result<Answer> Get(const SidecarAddress& sidecar, const std::string& path,
                         const Query& query);
// POST of a body that is in memory.
base::Result<Answer> Post(const SidecarAddress& sidecar, const std::string& path,
                          const Query& query, const std::string& content_type,
                          const std::string& body);

}  // namespace outrigger::outbound
