// Which known name was meant. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace outrigger::base {

// The nearest of `known` to `name` when it is near enough to be meant, else empty. Case and
// separators do not count.
std::string Nearest(std::string_view name, const std::vector<std::string>& known);

}  // namespace outrigger::base
