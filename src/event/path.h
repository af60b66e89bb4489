// Dotted paths into data, as rules write them: "address.city".
#pragma once

#include <string_view>

#include "event/json.h"

namespace outrigger::event {

JsonPath SplitPath(std::string_view dotted);

}  // namespace outrigger::event
