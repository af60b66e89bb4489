#include "event/record_digest.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace outrigger::event {
namespace {

// Before the record's bytes, so that the two hashes differ from their first step on.
constexpr std::string_view kFirst = "first   ";
constexpr std::string_view kSecond = "second  ";
static_assert(kFirst.size() == kSecond.size());

void Append(std::string& bytes, const std::optional<std::string>& part) {
  const uint64_t size = part ? part->size() : UINT64_MAX;
  bytes.append(reinterpret_cast<const char*>(&size), sizeof size);
  if (part) bytes.append(*part);
}

}  // namespace

RecordDigest DigestOf(const Record& record) {
  std::string bytes(kFirst);
  bytes.reserve(bytes.size() + record.bytes() + (3 + 2 * record.headers.size()) * sizeof(uint64_t));
  Append(bytes, record.topic);
  Append(bytes, record.key);
  const std::hash<std::string_view> hash;
  RecordDigest digest;
  digest.key = hash(bytes);
  Append(bytes, record.value);
  for (const auto& header : record.headers) {
    Append(bytes, header.name);
    Append(bytes, header.value);
  }
  digest.first = hash(bytes);
  bytes.replace(0, kSecond.size(), kSecond);
  digest.second = hash(bytes);
  return digest;
}

}  // namespace outrigger::event
