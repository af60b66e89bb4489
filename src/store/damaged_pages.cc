#include "store/damaged_pages.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace outrigger::store {
namespace {

constexpr size_t kLogHeader = 32;
constexpr size_t kFrameHeader = 24;
constexpr uint32_t kMagic = 0x377F0682;  // its lowest bit: the sums are big endian
// A page of the pointer map has 5 bytes for each of the pages behind it.
constexpr uint32_t kMapEntries = (kPageBytes - kPageSumBytes) / 5;
constexpr unsigned char kMapFree = 2;

uint32_t BigEndian(const unsigned char* bytes) {
  return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | bytes[3];
}

uint64_t SizeOf(int descriptor) {
  struct stat status {};
  return fstat(descriptor, &status) == 0 ? static_cast<uint64_t>(status.st_size) : 0;
}

bool ReadAll(int descriptor, void* bytes, size_t size, uint64_t offset) {
  return pread(descriptor, bytes, size, static_cast<off_t>(offset)) == static_cast<ssize_t>(size);
}

// The sums over the log so far.
struct LogSums {
  bool big_endian = false;
  uint32_t first = 0;
  uint32_t second = 0;

  void Add(const unsigned char* bytes, size_t size) {
    for (size_t i = 0; i < size; i += 8) {
      first += Word(bytes + i) + second;
      second += Word(bytes + i + 4) + first;
    }
  }
  bool Are(const unsigned char* bytes) const {
    return BigEndian(bytes) == first && BigEndian(bytes + 4) == second;
  }

 private:
  uint32_t Word(const unsigned char* bytes) const {
    const uint32_t big = BigEndian(bytes);
    return big_endian ? big : __builtin_bswap32(big);
  }
};

}  // namespace

base::Result<DamagedPages> DamagedPages::Open(const std::string& path) {
  DamagedPages pages;
  pages.database_ = Descriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (pages.database_.number() < 0)
    return base::Fail({base::Code::kInternal,
                       path + " can't be opened: " + std::generic_category().message(errno), "",
                       false});
  pages.log_ = Descriptor(open((path + "-wal").c_str(), O_RDONLY | O_CLOEXEC));
  pages.count_ = static_cast<uint32_t>(SizeOf(pages.database_.number()) / kPageBytes);
  if (pages.log_.number() >= 0) pages.ReadLog();
  return pages;
}

// Takes the frames whose sums are right up to the last commit as committed. Those behind have the
// same salt: frames of an earlier use of the log, which may come after them, have another.
void DamagedPages::ReadLog() {
  std::array<unsigned char, kLogHeader> header{};
  std::array<unsigned char, kFrameHeader + kPageBytes> frame{};
  const uint64_t size = SizeOf(log_.number());
  if (size < header.size() + frame.size()) return;
  if (!ReadAll(log_.number(), header.data(), header.size(), 0) ||
      !ReadAll(log_.number(), frame.data(), frame.size(), header.size()))
    return;
  LogSums sums{.big_endian = BigEndian(header.data()) == (kMagic | 1U)};
  sums.Add(header.data(), 24);
  bool chained = sums.Are(header.data() + 24);
  const auto salt_of = [](const unsigned char* at) {
    return uint64_t{BigEndian(at)} << 32 | BigEndian(at + 4);
  };
  const uint64_t salt = salt_of(chained ? header.data() + 16 : frame.data() + 8);
  std::map<uint32_t, uint64_t> open;  // frames of a transaction without its end
  for (uint64_t at = header.size(); at + frame.size() <= size; at += frame.size()) {
    if (!ReadAll(log_.number(), frame.data(), frame.size(), at)) break;
    const uint32_t page = BigEndian(frame.data());
    const bool commit = BigEndian(frame.data() + 4) != 0;
    const bool same_salt = salt_of(frame.data() + 8) == salt;
    sums.Add(frame.data(), 8);
    sums.Add(frame.data() + kFrameHeader, kPageBytes);
    chained = chained && same_salt && sums.Are(frame.data() + 16);
    if (chained) {
      open[page] = at;
      if (!commit) continue;
      for (const auto& [of_page, offset] : open) frames_[of_page] = offset;
      open.clear();
    } else if (same_salt) {
      late_frames_[page].push_back(at);
      if (commit) ++late_commits_;
    }
  }
  for (const auto& [page, offset] : open) late_frames_[page].push_back(offset);
  for (const auto& [page, offset] : frames_) count_ = std::max(count_, page);
  // The number of a frame that is damaged can be any.
  const auto most = static_cast<uint32_t>(count_ + size / frame.size());
  late_frames_.erase(late_frames_.upper_bound(most), late_frames_.end());
  if (!late_frames_.empty()) count_ = std::max(count_, late_frames_.rbegin()->first);
}

DamagedPages::Image DamagedPages::Frame(uint64_t offset) const {
  Image image;
  ReadAll(log_.number(), image.bytes.data(), kPageBytes, offset + kFrameHeader);
  return image;
}

DamagedPages::Image DamagedPages::Committed(uint32_t page) const {
  if (const auto frame = frames_.find(page); frame != frames_.end()) {
    Image image = Frame(frame->second);
    image.whole = true;
    return image;
  }
  Image image;
  image.whole = ReadAll(database_.number(), image.bytes.data(), kPageBytes,
                        uint64_t{page - 1} * kPageBytes) &&
                PageIsWhole(image.bytes);
  return image;
}

std::vector<DamagedPages::Image> DamagedPages::ImagesOf(uint32_t page) const {
  std::vector<Image> images{Committed(page)};
  if (const auto late = late_frames_.find(page); late != late_frames_.end()) {
    for (const uint64_t offset : late->second) {
      images.push_back(Frame(offset));
      images.back().late = true;
    }
  }
  return images;
}

DamagedPages::Image DamagedPages::ImageOf(uint32_t page, bool late) const {
  const auto frames = late_frames_.find(page);
  return late && frames != late_frames_.end() ? Frame(frames->second.back()) : Committed(page);
}

bool DamagedPages::IsFree(uint32_t page) const {
  if (page < 3) return false;
  const uint32_t map = (page - 2) / (kMapEntries + 1) * (kMapEntries + 1) + 2;
  if (map == page) return true;
  const Image image = Committed(map);
  return image.whole && image.bytes[size_t{5} * (page - map - 1)] == kMapFree;
}

}  // namespace outrigger::store
