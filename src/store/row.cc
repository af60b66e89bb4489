#include "store/row.h"

#include <zlib.h>

namespace outrigger::store {
namespace {

constexpr uint32_t kNull = UINT32_MAX;

void AppendLength(std::string& out, uint32_t length) {
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(length >> shift));
}

void AppendBytes(std::string& out, const std::optional<std::string>& bytes) {
  AppendLength(out, bytes ? static_cast<uint32_t>(bytes->size()) : kNull);
  if (bytes) out.append(*bytes);
}

// Takes a value off the front; false: there is none.
bool Take(std::string_view& bytes, std::optional<std::string>& value) {
  if (bytes.size() < 4) return false;
  uint32_t length = 0;
  for (size_t i = 0; i < 4; ++i)
    length |= static_cast<uint32_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  bytes.remove_prefix(4);
  if (length == kNull) {
    value.reset();
    return true;
  }
  if (length > bytes.size()) return false;
  value = std::string(bytes.substr(0, length));
  bytes.remove_prefix(length);
  return true;
}

class Checksum {
 public:
  void Add(int64_t number) {
    char bytes[8];
    for (size_t i = 0; i < sizeof bytes; ++i)
      bytes[i] = static_cast<char>(static_cast<uint64_t>(number) >> (8 * i));
    Add(bytes, sizeof bytes);
  }
  void Add(std::string_view bytes) {
    Add(static_cast<int64_t>(bytes.size()));
    Add(bytes.data(), bytes.size());
  }
  void Add(const std::optional<std::string>& bytes) {
    if (!bytes) return Add(int64_t{-1});
    Add(std::string_view(*bytes));
  }
  uint32_t value() const { return static_cast<uint32_t>(crc_); }

 private:
  void Add(const char* bytes, size_t size) {
    crc_ = crc32_z(crc_, reinterpret_cast<const unsigned char*>(bytes), size);
  }

  uLong crc_ = crc32_z(0, nullptr, 0);
};

}  // namespace

std::string EncodeHeaders(const std::vector<event::Header>& headers) {
  std::string out;
  for (const event::Header& header : headers) {
    AppendBytes(out, header.name);
    AppendBytes(out, header.value);
  }
  return out;
}

std::optional<std::vector<event::Header>> DecodeHeaders(std::string_view bytes) {
  std::vector<event::Header> headers;
  while (!bytes.empty()) {
    std::optional<std::string> name;
    std::optional<std::string> value;
    if (!Take(bytes, name) || !name || !Take(bytes, value)) return std::nullopt;
    headers.push_back({std::move(*name), std::move(value)});
  }
  return headers;
}

uint32_t ChecksumOf(const Row& row, std::string_view headers) {
  Checksum checksum;
  checksum.Add(row.id);
  checksum.Add(std::string_view(row.event_id));
  checksum.Add(std::string_view(row.source));
  checksum.Add(int64_t{row.target});
  checksum.Add(static_cast<int64_t>(row.fingerprint));
  checksum.Add(std::string_view(row.record.topic));
  checksum.Add(int64_t{row.record.partition});
  checksum.Add(row.record.timestamp_ms);
  checksum.Add(std::string_view(row.dead_letter));
  checksum.Add(row.accepted_ms);
  checksum.Add(row.record.key);
  checksum.Add(row.record.value);
  checksum.Add(headers);
  return checksum.value();
}

}  // namespace outrigger::store
