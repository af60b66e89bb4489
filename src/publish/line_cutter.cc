#include "publish/line_cutter.h"

#include <utility>

namespace outrigger::publish {

std::string_view LineCutter::Line::text() const {
  std::string_view text = joined_.empty() ? piece_ : joined_;
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

std::optional<LineCutter::Line> LineCutter::Next(std::string_view& bytes) {
  const size_t end = bytes.find('\n');
  const std::string_view piece = bytes.substr(0, end);
  // The CR of a CR LF is no part of the line.
  const bool cr = piece.empty() ? partial_.ends_with('\r') : piece.ends_with('\r');
  if (partial_.size() + piece.size() - (cr ? 1 : 0) > max_line_) {
    skipping_ = true;
    std::string().swap(partial_);
  }
  if (end != std::string_view::npos) {
    bytes.remove_prefix(end + 1);
    return End(piece);
  }
  if (!skipping_) partial_.append(piece);
  bytes = {};
  return std::nullopt;
}

LineCutter::Line LineCutter::End(std::string_view rest) {
  Line line;
  line.number_ = ++lines_;
  line.too_long_ = std::exchange(skipping_, false);
  if (line.too_long_) return line;
  line.joined_.swap(partial_);
  if (line.joined_.empty())
    line.piece_ = rest;
  else
    line.joined_.append(rest);
  return line;
}

}  // namespace outrigger::publish
