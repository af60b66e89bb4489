#include "base/fail_point.h"

#ifdef OUTRIGGER_FAIL_POINTS

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <string>

namespace outrigger::base {
namespace {

struct Wanted {
  size_t point = kFailPoints.size();  // none
  std::atomic<int> left{1};

  Wanted() {
    const char* text = std::getenv("OUTRIGGER_FAIL_POINT");
    if (!text) return;
    std::string name = text;
    if (const size_t colon = name.find(':'); colon != std::string::npos) {
      left = std::atoi(name.c_str() + colon + 1);
      name.resize(colon);
    }
    for (point = 0; point < kFailPoints.size() && name != kFailPoints[point];) ++point;
  }
};

}  // namespace

void Reach(FailPoint point) {
  static Wanted wanted;
  if (static_cast<size_t>(point) == wanted.point && --wanted.left == 0) kill(getpid(), SIGKILL);
}

}  // namespace outrigger::base

#endif
