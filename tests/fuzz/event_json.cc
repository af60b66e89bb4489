// libFuzzer: clang++ -fsanitize=fuzzer,address; its corpus is corpus/event_json.
#include <cstddef>
#include <cstdint>

#include "support/fuzz_event_json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  outrigger::event::FuzzEventJson({reinterpret_cast<const char*>(bytes), size});
  return 0;
}
