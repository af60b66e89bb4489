#include "http/chunked_body.h"

#include <algorithm>

#include "http/header_text.h"

namespace outrigger::http {
namespace {

// No body is larger, and no sum of sizes overflows.
constexpr uint64_t kMaxChunk = uint64_t{1} << 59;
constexpr int kMaxDigits = 16;

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

}  // namespace

size_t ChunkedBody::Read(std::string_view bytes, const Sink& sink) {
  size_t used = 0;
  while (used < bytes.size() && state_ != State::kDone && wrong_.empty()) {
    if (state_ != State::kData) {
      ReadByte(bytes[used++]);
      continue;
    }
    const std::string_view part =
        bytes.substr(used, static_cast<size_t>(std::min<uint64_t>(bytes.size() - used, left_)));
    const size_t taken = sink(part);
    used += taken;
    left_ -= taken;
    if (left_ == 0) state_ = State::kDataEnd;
    if (taken < part.size()) break;
  }
  return used;
}

void ChunkedBody::ReadByte(char c) {
  // A line may end in LF alone where that is allowed.
  const bool line_end = c == '\r' || (lenient_ && c == '\n');
  switch (state_) {
    case State::kSize:
    case State::kBlank:
      if (line_end && (state_ == State::kBlank ? lenient_ : digits_ > 0)) {
        state_ = State::kSizeEnd;
        if (c == '\n') EndSize();
        return;
      }
      return ReadSize(c);
    case State::kExtension:
      if (line_end) {
        state_ = State::kSizeEnd;
        if (c == '\n') EndSize();
        return;
      }
      return ReadExtension(c);
    case State::kSizeEnd:
      return c == '\n' ? EndSize() : Wrong("a chunk's line does not end in CR LF");
    case State::kDataEnd:
      if (!line_end) return Wrong("a chunk is longer than its size");
      state_ = c == '\n' ? State::kSize : State::kDataEndLf;
      digits_ = 0;
      return;
    case State::kDataEndLf:
      if (c != '\n') return Wrong("a chunk does not end in CR LF");
      state_ = State::kSize;
      return;
    case State::kLine:
      if (line_end) {
        state_ = c == '\n' ? State::kDone : State::kEnd;
        return;
      }
      if (IsBlank(c)) return Wrong("a trailer's line begins with a blank (obs-fold)");
      state_ = State::kName;
      if (c == ':') return Wrong("a trailer has no name");
      return ReadTrailer(c);
    case State::kName:
    case State::kValue:
      if (line_end && state_ == State::kValue) {
        state_ = c == '\n' ? State::kLine : State::kValueEnd;
        return;
      }
      return ReadTrailer(c);
    case State::kValueEnd:
    case State::kEnd:
      if (c != '\n') return Wrong("a trailer's line does not end in CR LF");
      state_ = state_ == State::kEnd ? State::kDone : State::kLine;
      return;
    case State::kData:
    case State::kDone:
      return;
  }
}

void ChunkedBody::ReadSize(char c) {
  if (c == ';' && digits_ > 0) {
    state_ = State::kExtension;
    return Count();
  }
  if (IsBlank(c) && digits_ > 0) {
    // Before an extension it is legal; before the line's end some apps pad with it.
    state_ = State::kBlank;
    return Count();
  }
  const int digit = base::HexDigit(c);
  if (digit < 0 || state_ == State::kBlank)
    return Wrong(c == '\n' ? "a chunk's line ends in LF alone" : "a chunk's size is not a number");
  if (++digits_ > kMaxDigits || left_ > kMaxChunk >> 4)
    return Wrong("a chunk's size is larger than any body");
  left_ = left_ << 4 | static_cast<uint64_t>(digit);
}

void ChunkedBody::ReadExtension(char c) {
  if (IsControl(c))
    return Wrong(c == '\n' ? "a chunk's line ends in LF alone"
                           : "a chunk's line has a control byte");
  Count();
}

void ChunkedBody::ReadTrailer(char c) {
  if (state_ == State::kName && c == ':') {
    state_ = State::kValue;
  } else if (state_ == State::kName && !IsTokenByte(c)) {
    return Wrong("a trailer's name has a byte that it can't have");
  } else if (IsControl(c)) {
    return Wrong(c == '\n' ? "a trailer's line ends in LF alone" : "a trailer has a control byte");
  }
  Count();
}

void ChunkedBody::EndSize() { state_ = left_ > 0 ? State::kData : State::kLine; }

void ChunkedBody::Count() {
  if (++counted_ > max_trailer_) Wrong("trailers and chunk extensions are too large");
}

}  // namespace outrigger::http
