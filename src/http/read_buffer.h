// Bytes that were read from a socket and not used yet, and the room behind them for the next read.
//
// The memory stays in place from BeginRead to EndRead. Pure. Thread: any one.
#pragma once

#include <cassert>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace outrigger::http {

class ReadBuffer {
 public:
  // What was received and not used yet; valid until the next call that is not const.
  std::string_view unread() const { return {bytes_.data() + begin_, end_ - begin_}; }
  // The first bytes of what is unread are not needed any more.
  void Use(size_t bytes) {
    assert(bytes <= end_ - begin_);
    begin_ += bytes;
  }

  // Room for a read of up to `room` bytes, which EndRead or End ends. Not while another one is
  // under way.
  std::span<char> BeginRead(size_t room);
  void EndRead(size_t bytes);
  // The sender has sent its last byte: nothing more is read.
  void End() { source_ = Source::kEnded; }

  bool reading() const { return source_ == Source::kReading; }
  bool ended() const { return source_ == Source::kEnded; }
  // Whether the last read filled its room: the socket may have more.
  bool filled() const { return end_ == room_end_; }

  // Drops what is unread, and what a read that is under way brings is of no use either.
  void Discard() { begin_ = end_ = 0; }
  // Frees the memory if it is more than `keep` and empty.
  void Shrink(size_t keep);

 private:
  enum class Source { kOpen, kReading, kEnded };

  Source source_ = Source::kOpen;
  std::string bytes_;
  size_t begin_ = 0;  // of what is unread
  size_t end_ = 0;
  size_t room_end_ = 0;  // of the last read's room, which begins where what is unread ends
};

}  // namespace outrigger::http
