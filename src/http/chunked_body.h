// The decoder of a chunked body, byte by byte, so that the size of the pieces does not matter and
// an error is reported at its byte.
//
// Strict: lines end in CR LF, a size has up to 16 hex digits, extensions and trailers are checked,
// counted against one budget and skipped. With `lenient` (an app's answer) a line may end in LF
// alone and a size may have blanks behind it. Thread: any one. Source: RFC 9112 section 7.1.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace outrigger::http {

class ChunkedBody {
 public:
  ChunkedBody(uint64_t max_trailer, bool lenient) : max_trailer_(max_trailer), lenient_(lenient) {}

  // `sink` gets the decoded bytes and returns how many it took; reading stops when it takes fewer.
  // Returns how many of `bytes` were used: all, unless the sink is full, it is done, or wrong.
  using Sink = std::function<size_t(std::string_view)>;
  size_t Read(std::string_view bytes, const Sink& sink);

  bool done() const { return state_ == State::kDone; }
  // Empty: nothing so far.
  const std::string& wrong() const { return wrong_; }
  // Whether the error is the size of trailers and extensions.
  bool too_large() const { return counted_ > max_trailer_; }
  // The bytes of the current chunk that have not arrived yet.
  uint64_t left() const { return left_; }

 private:
  enum class State {
    kSize,
    kBlank,      // behind a size
    kExtension,  // from its ';'
    kSizeEnd,    // the LF of a size's line
    kData,
    kDataEnd,  // the CR behind the data
    kDataEndLf,
    kLine,  // the start of a trailer, or the last line
    kName,
    kValue,
    kValueEnd,  // the LF of a trailer's line
    kEnd,       // the LF of the last line
    kDone,
  };

  void ReadByte(char c);
  void ReadSize(char c);
  void ReadExtension(char c);
  void ReadTrailer(char c);
  void EndSize();
  void Count();
  void Wrong(const char* what) { wrong_ = what; }

  const uint64_t max_trailer_;
  const bool lenient_;
  State state_ = State::kSize;
  int digits_ = 0;
  uint64_t left_ = 0;
  uint64_t counted_ = 0;  // of trailers and extensions together
  std::string wrong_;
};

}  // namespace outrigger::http
