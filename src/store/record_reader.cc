#include "store/record_reader.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace outrigger::store {
namespace {

constexpr unsigned char kTableLeaf = 0x0D;
constexpr size_t kUsable = kPageBytes - kPageSumBytes;
constexpr uint64_t kMostBytes = 1 << 30;  // of a record: SQLite's own limit

struct Cursor {
  std::string_view bytes;

  std::optional<uint64_t> Varint() {
    uint64_t value = 0;
    for (size_t i = 0; i < 9 && i < bytes.size(); ++i) {
      const auto byte = static_cast<unsigned char>(bytes[i]);
      value = i == 8 ? value << 8 | byte : value << 7 | (byte & 0x7FU);
      if (i < 8 && (byte & 0x80U) != 0) continue;
      bytes.remove_prefix(i + 1);
      return value;
    }
    return std::nullopt;
  }
};

// Of a serial type; nullopt: there is no such type.
std::optional<uint64_t> SizeOfType(uint64_t type) {
  constexpr uint64_t kSizes[] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0};
  if (type == 7 || type == 10 || type == 11) return std::nullopt;  // none of our columns is a float
  return type < 10 ? kSizes[type] : (type - 12) / 2;
}

RecordReader::Value ValueOf(uint64_t type, std::string_view bytes) {
  if (type == 0) return std::monostate();
  if (type == 8 || type == 9) return static_cast<int64_t>(type - 8);
  if (type >= 12) return std::string(bytes);
  uint64_t number = (static_cast<unsigned char>(bytes[0]) & 0x80U) != 0 ? UINT64_MAX : 0;
  for (const char byte : bytes) number = number << 8 | static_cast<unsigned char>(byte);
  return static_cast<int64_t>(number);
}

using Types = std::vector<uint64_t>;

// Takes the types of a record of `size` bytes off its front; empty: it is no record.
Types TakeTypes(Cursor& record, uint64_t size) {
  const std::string_view whole = record.bytes;
  const auto header_size = record.Varint();
  const size_t before = whole.size() - record.bytes.size();
  if (!header_size || *header_size < before || *header_size > whole.size()) return {};
  Cursor header{whole.substr(before, *header_size - before)};
  record.bytes = whole.substr(*header_size);
  uint64_t sum = *header_size;
  Types types;
  while (!header.bytes.empty()) {
    const auto type = header.Varint();
    const auto of_type = type ? SizeOfType(*type) : std::nullopt;
    if (!of_type || *of_type > size) return {};
    types.push_back(*type);
    sum += *of_type;
  }
  return sum == size ? types : Types();
}

size_t LocalBytes(uint64_t size) {
  if (size <= kUsable - 35) return size;
  constexpr size_t kLeast = (kUsable - 12) * 32 / 255 - 23;
  const size_t local = kLeast + (size - kLeast) % (kUsable - 4);
  return local <= kUsable - 35 ? local : kLeast;
}

uint32_t PageNumber(std::string_view bytes) {
  uint32_t number = 0;
  for (size_t i = 0; i < 4; ++i) number = number << 8 | static_cast<unsigned char>(bytes[i]);
  return number;
}

std::string_view Usable(const DamagedPages::Image& image) {
  return {reinterpret_cast<const char*>(image.bytes.data()), kUsable};
}

}  // namespace

void RecordReader::VisitPage(uint32_t page, const Visit& visit) const {
  for (const DamagedPages::Image& image : pages_.ImagesOf(page)) {
    const size_t header = page == 1 ? 100 : 0;
    if (!image.whole) VisitAny(image, visit);
    if (image.bytes[header] == kTableLeaf) VisitListed(image, header, visit);
  }
}

void RecordReader::VisitListed(const DamagedPages::Image& image, size_t header,
                               const Visit& visit) const {
  const auto number = [&image](size_t at) {
    return static_cast<size_t>(image.bytes[at]) << 8 | image.bytes[at + 1];
  };
  const size_t count = std::min(number(header + 3), (kUsable - header - 8) / 2);
  for (size_t i = 0; i < count; ++i) {
    auto record = RecordAt(image, number(header + 8 + 2 * i));
    if (!record) continue;
    record->listed = true;
    record->whole_page = image.whole;
    visit(std::move(*record));
  }
}

void RecordReader::VisitAny(const DamagedPages::Image& image, const Visit& visit) const {
  for (size_t at = 0; at < kUsable; ++at)
    if (auto record = RecordAt(image, at)) visit(std::move(*record));
}

std::optional<RecordReader::Record> RecordReader::RecordAt(const DamagedPages::Image& image,
                                                           size_t offset) const {
  if (offset >= kUsable) return std::nullopt;
  Cursor cell{Usable(image).substr(offset)};
  const auto size = cell.Varint();
  const auto row = cell.Varint();
  if (!size || !row || *size == 0 || *size > kMostBytes) return std::nullopt;
  const size_t local = LocalBytes(*size);
  if (cell.bytes.size() < local + (local < *size ? 4 : 0)) return std::nullopt;
  // What is no record is found out before pages are read that it does not have.
  Cursor types_cursor{cell.bytes.substr(0, local)};
  const Types types = TakeTypes(types_cursor, *size);
  if (types.empty()) return std::nullopt;
  std::string payload(cell.bytes.substr(0, local));
  if (local < *size && !AppendOverflow(payload, *size, PageNumber(cell.bytes.substr(local)), image))
    return std::nullopt;
  Record record{.row = static_cast<int64_t>(*row), .values = {}};
  size_t at = local - types_cursor.bytes.size();
  for (const uint64_t type : types) {
    const uint64_t bytes = *SizeOfType(type);
    record.values.push_back(ValueOf(type, std::string_view(payload).substr(at, bytes)));
    at += bytes;
  }
  return record;
}

bool RecordReader::AppendOverflow(std::string& payload, uint64_t size, uint32_t page,
                                  const DamagedPages::Image& image) const {
  while (payload.size() < size) {
    if (page == 0 || page > pages_.count()) return false;
    const DamagedPages::Image more = pages_.ImageOf(page, image.late);
    payload.append(Usable(more).substr(4, size - payload.size()));
    page = PageNumber(Usable(more));
  }
  return true;
}

int64_t RecordReader::Record::Number(size_t column) const {
  if (column == 0 && std::holds_alternative<std::monostate>(values[0])) return row;
  const auto* number = std::get_if<int64_t>(&values[column]);
  return number != nullptr ? *number : 0;
}

std::optional<std::string> RecordReader::Record::Bytes(size_t column) const {
  const auto* bytes = std::get_if<std::string>(&values[column]);
  return bytes != nullptr ? std::optional(*bytes) : std::nullopt;
}

}  // namespace outrigger::store
