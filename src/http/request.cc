#include "http/request.h"

namespace outrigger::http {

std::string_view Head::Find(std::string_view name) const {
  for (const Field& field : fields)
    if (field.name == name) return field.value;
  return {};
}

const std::string* Head::Query(std::string_view name) const {
  for (const auto& [key, value] : query)
    if (key == name) return &value;
  return nullptr;
}

}  // namespace outrigger::http
