// How long a request of many events is worked on before others have their turn.
#pragma once

#include <chrono>

namespace outrigger::publish {

inline constexpr std::chrono::milliseconds kSlice{4};

}  // namespace outrigger::publish
