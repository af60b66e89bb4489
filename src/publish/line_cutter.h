// Cuts a stream of bytes, which comes in chunks, into lines that end in LF or CR LF.
//
// A line inside one chunk is shown in place; only one that goes on in the next chunk is copied. Of
// a line that is too long nothing is kept. Pure. Thread: any one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace outrigger::publish {

class LineCutter {
 public:
  class Line {
   public:
    uint64_t number() const { return number_; }  // the first line is 1
    bool too_long() const { return too_long_; }
    // Without its end; empty when it is too long. Valid as long as the line and its chunk are.
    std::string_view text() const;

   private:
    friend class LineCutter;

    uint64_t number_ = 0;
    bool too_long_ = false;
    std::string_view piece_;  // of the chunk, when all of it came in one
    std::string joined_;      // else
  };

  // `max_line`: in bytes, without the line's end.
  explicit LineCutter(uint64_t max_line) : max_line_(max_line) {}

  // Takes the next line off the beginning of `bytes`; nothing where it does not end in them, and
  // then all of them are taken.
  std::optional<Line> Next(std::string_view& bytes);
  // Whether the stream's last bytes so far belong to a line that has not ended.
  bool begun() const { return skipping_ || !partial_.empty(); }
  // That line, when the stream has ended.
  Line Last() { return End({}); }

  uint64_t lines() const { return lines_; }  // that have ended
  uint64_t max_line() const { return max_line_; }
  size_t held() const { return partial_.size(); }  // bytes of the line that has begun

 private:
  Line End(std::string_view rest);

  const uint64_t max_line_;
  uint64_t lines_ = 0;
  std::string partial_;    // of the line that has begun
  bool skipping_ = false;  // it is too long
};

}  // namespace outrigger::publish
