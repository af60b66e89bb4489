// libFuzzer entry: see tests/support/fuzz_config.h. Corpus: tests/fuzz/corpus/config.
#include <cstddef>
#include <cstdint>

#include "support/fuzz_config.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  outrigger::test::FuzzConfig({reinterpret_cast<const char*>(data), size});
  return 0;
}
