#include "base/ids.h"

#include <cstdint>
#include <random>

namespace outrigger::base {
namespace {

struct Generator {
  std::mt19937_64 random{[] {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device(), device(), device()};
    return std::mt19937_64(seed);
  }()};
  int64_t last_ms = 0;
  uint32_t counter = 0;
};

void AppendHex(char* out, uint64_t value, int digits) {
  static constexpr char kDigits[] = "0123456789abcdef";
  for (int i = digits - 1; i >= 0; --i, value >>= 4) out[i] = kDigits[value & 15];
}

}  // namespace

std::string NewUuid7(WallTime now) {
  thread_local Generator generator;
  int64_t ms = std::chrono::floor<std::chrono::milliseconds>(now.time_since_epoch()).count();
  const uint64_t random = generator.random();
  if (ms > generator.last_ms) {
    // Half of the range of the counter is left for counting up.
    generator.counter = (random >> 52) & 0x7ff;
  } else if (++generator.counter > 0xfff) {
    generator.counter = 0;
    ms = generator.last_ms + 1;
  } else {
    ms = generator.last_ms;
  }
  generator.last_ms = ms;

  std::string id(36, '-');
  const auto time = static_cast<uint64_t>(ms);
  AppendHex(&id[0], time >> 16, 8);
  AppendHex(&id[9], time & 0xffff, 4);
  AppendHex(&id[14], 0x7000 | generator.counter, 4);
  AppendHex(&id[19], 0x8000 | ((random >> 48) & 0x3fff), 4);
  AppendHex(&id[24], generator.random() & 0xffffffffffff, 12);
  return id;
}

}  // namespace outrigger::base
