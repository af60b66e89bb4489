#include "http/open_files.h"

#include <sys/resource.h>

#include <algorithm>

namespace outrigger::http {

uint64_t MaxOpenFiles() {
  rlimit files;
  return getrlimit(RLIMIT_NOFILE, &files) == 0 ? files.rlim_cur : RLIM_INFINITY;
}

uint64_t SpareFiles() { return std::min<uint64_t>(MaxOpenFiles() / 4, 64); }

}  // namespace outrigger::http
