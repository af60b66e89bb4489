// libFuzzer entry: see tests/support/fuzz_http.h. Corpus: tests/fuzz/corpus/http.
#include <cstddef>
#include <cstdint>

#include "support/fuzz_http.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  outrigger::test::FuzzHttp({reinterpret_cast<const char*>(data), size});
  return 0;
}
