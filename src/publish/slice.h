// How long a request with many events is processed before other requests have their turn.
#pragma once

#include <chrono>

namespace outrigger::publish {

inline constexpr std::chrono::milliseconds kSlice{4};

}  // namespace outrigger::publish
