// The decoder of a chunked body, byte by byte, so that its pieces make no difference and what is
// wrong is told at the byte that is wrong.
//
// Strict: lines end in CR LF, a size has up to 16 hex digits, extensions and trailers are checked,
// counted against one budget and passed over. With `lenient` (an app's answer) a line may end in LF
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

  // `sink` gets the decoded bytes and says how many it took; less than all is where reading stops.
  // Returns how many of `bytes` were used: all, unless the sink is full, it is done, or wrong.
  using Sink = std::function<size_t(std::string_view)>;
  size_t Read(std::string_view bytes, const Sink& sink);

  bool done() const { return state_ == State::kDone; }
  // Empty: nothing so far.
  const std::string& wrong() const { return wrong_; }
  // What is wrong is the size of trailers and extensions.
  bool too_large() const { return counted_ > max_trailer_; }
  // Of the chunk under way, what has not come yet.
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
    kLine,  // a trailer's begin, or the last line
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
