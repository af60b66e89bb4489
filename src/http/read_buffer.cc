#include "http/read_buffer.h"

#include <cstring>

namespace outrigger::http {

std::span<char> ReadBuffer::BeginRead(size_t room) {
  assert(source_ == Source::kOpen);
  if (begin_ > 0) {
    std::memmove(bytes_.data(), bytes_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  // Bytes of earlier reads stay in the room, since clearing it would cost more than most requests.
  room_end_ = end_ + room;
  if (bytes_.size() < room_end_) bytes_.resize(room_end_);
  source_ = Source::kReading;
  return {bytes_.data() + end_, room};
}

void ReadBuffer::EndRead(size_t bytes) {
  assert(source_ == Source::kReading && end_ + bytes <= room_end_);
  end_ += bytes;
  source_ = Source::kOpen;
}

void ReadBuffer::Shrink(size_t keep) {
  if (source_ == Source::kReading || begin_ != end_ || bytes_.capacity() <= keep) return;
  bytes_ = std::string();
  Discard();
}

}  // namespace outrigger::http
