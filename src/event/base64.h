// Base64 (RFC 4648 section 4, padded), for data_base64.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace outrigger::event {

std::string EncodeBase64(std::string_view bytes);
// nullopt: not strict Base64.
std::optional<std::string> DecodeBase64(std::string_view text);

}  // namespace outrigger::event
