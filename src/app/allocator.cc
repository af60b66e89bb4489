#include "app/allocator.h"

#include <malloc.h>

#include <algorithm>

namespace outrigger::app {
namespace {

// So much is no usual load.
constexpr uint64_t kFlood = 4 << 20;
// Answers to fetches and large bodies are mapped by themselves and so return with their end. The C
// library would raise its bound with the first that ends, and keep the next ones in its heaps,
// between what lives longer.
constexpr int kMappedFrom = 128 << 10;

}  // namespace

void SetUpAllocator() { mallopt(M_MMAP_THRESHOLD, kMappedFrom); }

void FloodGate::Look(uint64_t held, uint64_t peak) {
  flood_ = std::max({flood_, peak, held});
  if (flood_ < kFlood || held > flood_ / 4) return;
  malloc_trim(0);
  flood_ = 0;
}

}  // namespace outrigger::app
