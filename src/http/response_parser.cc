#include "http/response_parser.h"

#include <algorithm>
#include <utility>

#include "http/header_text.h"

namespace outrigger::http {
namespace {

// The most 1xx answers that are skipped; an app has no reason for more than a few.
constexpr int kMaxInterim = 16;

std::string_view Trim(std::string_view text) {
  const size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
  const size_t end = text.find_last_not_of(" \t");
  return text.substr(begin, end == std::string_view::npos ? 0 : end + 1 - begin);
}

// The next of the items between commas; `list` keeps the rest.
std::string_view TakeItem(std::string_view& list) {
  const size_t comma = std::min(list.find(','), list.size());
  const std::string_view item = Trim(list.substr(0, comma));
  list.remove_prefix(std::min(comma + 1, list.size()));
  return item;
}

std::string Bytes(uint64_t count) { return std::to_string(count) + " bytes"; }

}  // namespace

void ResponseParser::Start(bool head_only) {
  state_ = State::kHead;
  head_only_ = head_only;
  keep_alive_ = false;
  interim_ = 0;
  line_begin_ = 0;
  body_read_ = 0;
  answer_ = Answer();
  wrong_.clear();
}

void ResponseParser::Wrong(std::string what) {
  if (wrong_.empty()) wrong_ = std::move(what);
}

// An app that sends a large answer has handled the event, and its connection stays usable.
void ResponseParser::Keep(std::string_view bytes) {
  const uint64_t room = limits_.max_body - answer_.body.size();
  body_read_ += bytes.size();
  answer_.body.append(bytes.substr(0, static_cast<size_t>(room)));
  answer_.cut_short = body_read_ > answer_.body.size();
}

size_t ResponseParser::Read(std::string_view bytes) {
  size_t used = 0;
  while (wrong_.empty() && used < bytes.size() && state_ != State::kDone) {
    const std::string_view rest = bytes.substr(used);
    const size_t step = state_ == State::kHead ? ReadHead(rest) : ReadBody(rest);
    if (step == 0) break;
    used += step;
  }
  return used;
}

void ResponseParser::End() {
  if (wrong_.empty() && state_ == State::kUntilClose) state_ = State::kDone;
}

std::optional<size_t> ResponseParser::FindEnd(std::string_view bytes) {
  while (true) {
    const size_t newline = bytes.find('\n', line_begin_);
    if (newline == std::string_view::npos) return std::nullopt;
    const std::string_view line = bytes.substr(line_begin_, newline - line_begin_);
    line_begin_ = newline + 1;
    if (line.empty() || line == "\r") return line_begin_;
  }
}

size_t ResponseParser::ReadHead(std::string_view bytes) {
  // Another protocol is recognised by its first bytes, without waiting for more.
  static constexpr std::string_view kBegin = "HTTP/1.";
  const size_t common = std::min(bytes.size(), kBegin.size());
  if (bytes.substr(0, common) != kBegin.substr(0, common)) {
    Wrong("malformed answer: not HTTP/1.1");
    return 0;
  }
  const auto end = FindEnd(bytes);
  if (end.value_or(bytes.size()) > limits_.max_header) {
    Wrong("the answer's head is larger than " + Bytes(limits_.max_header));
    return 0;
  }
  if (!end) return 0;
  line_begin_ = 0;
  length_.reset();
  chunks_.reset();
  std::string_view rest = bytes.substr(0, *end);
  bool first = true;
  while (!rest.empty() && wrong_.empty()) {
    const size_t newline = rest.find('\n');
    std::string_view line = rest.substr(0, newline);
    rest.remove_prefix(newline + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (std::exchange(first, false))
      ReadStatusLine(line);
    else if (!line.empty())
      ReadField(line);
  }
  if (!wrong_.empty()) return *end;
  // Folded lines belong to the one before: only now is every value whole.
  for (const auto& [name, value] : answer_.headers) Heed(name, value);
  if (wrong_.empty()) OnHead();
  return *end;
}

void ResponseParser::ReadStatusLine(std::string_view line) {
  // "HTTP/1.1 200 OK"; the reason, and the blank before it, may be missing.
  const bool shaped = line.size() >= 12 && (line[7] == '0' || line[7] == '1') && line[8] == ' ' &&
                      (line.size() == 12 || line[12] == ' ') && !HasControl(line) &&
                      line.substr(9, 3).find_first_not_of("0123456789") == std::string_view::npos;
  if (!shaped) return Wrong("malformed answer: its first line is no status line of HTTP/1.1");
  http_1_0_ = line[7] == '0';
  keep_alive_ = !http_1_0_;
  answer_.status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
}

void ResponseParser::ReadField(std::string_view line) {
  if (HasControl(line)) return Wrong("malformed answer: a header has a control byte");
  if (line.front() == ' ' || line.front() == '\t') {
    if (answer_.headers.empty()) return Wrong("malformed answer: its first header is folded");
    answer_.headers.back().second.append(" ").append(Trim(line));
    return;
  }
  const size_t colon = line.find(':');
  const std::string_view name = Trim(line.substr(0, colon));
  if (colon == std::string_view::npos || !IsToken(name))
    return Wrong("malformed answer: a header has no name");
  answer_.headers.emplace_back(base::LowerAscii(name), Trim(line.substr(colon + 1)));
}

void ResponseParser::Heed(std::string_view name, std::string_view value) {
  if (name == "content-length") return ReadLength(value);
  if (name == "connection") {
    while (!value.empty()) {
      const std::string_view item = TakeItem(value);
      if (SameIgnoringCase(item, "close")) keep_alive_ = false;
      if (SameIgnoringCase(item, "keep-alive") && http_1_0_) keep_alive_ = true;
    }
  } else if (name == "transfer-encoding" && !SameIgnoringCase(value, "identity")) {
    if (chunks_) return Wrong("malformed answer: Transfer-Encoding is there twice");
    if (!SameIgnoringCase(value, "chunked"))
      return Wrong("the answer has a Transfer-Encoding other than chunked");
    chunks_.emplace(limits_.max_trailer, true);
  }
}

void ResponseParser::ReadLength(std::string_view value) {
  do {
    const std::string_view item = TakeItem(value);
    uint64_t length = 0;
    for (const char c : item) {
      if (c < '0' || c > '9' || length > (uint64_t{1} << 59))
        return Wrong("malformed answer: Content-Length is not a number of bytes");
      length = length * 10 + static_cast<uint64_t>(c - '0');
    }
    if (item.empty()) return Wrong("malformed answer: Content-Length is empty");
    if (length_.value_or(length) != length)
      return Wrong("malformed answer: two lengths, " + std::to_string(*length_) + " and " +
                   std::to_string(length));
    length_ = length;
  } while (!value.empty());
}

void ResponseParser::OnHead() {
  const int status = answer_.status;
  if (status < 100 || status > 599) return Wrong("malformed answer: its status is no status");
  if (status == 101) return Wrong("malformed answer: 101 without having been asked to switch");
  if (status < 200) {
    if (++interim_ > kMaxInterim) return Wrong("too many 1xx answers before the answer");
    answer_ = Answer();
    return;
  }
  if (head_only_ || status == 204 || status == 304) {
    // A body that is not allowed may follow all the same, and would be read as the next answer.
    if (!head_only_ && (chunks_ || length_.value_or(0) > 0)) keep_alive_ = false;
    state_ = State::kDone;
  } else if (chunks_) {
    if (length_ || http_1_0_) keep_alive_ = false;
    state_ = State::kChunked;
  } else if (length_) {
    body_left_ = *length_;
    answer_.body.reserve(static_cast<size_t>(std::min(body_left_, limits_.max_body)));
    state_ = body_left_ > 0 ? State::kLength : State::kDone;
  } else {
    keep_alive_ = false;
    state_ = State::kUntilClose;
  }
}

size_t ResponseParser::ReadBody(std::string_view bytes) {
  if (state_ == State::kChunked) {
    const size_t used = chunks_->Read(bytes, [this](std::string_view part) {
      Keep(part);
      return part.size();
    });
    if (chunks_->done()) state_ = State::kDone;
    if (!chunks_->wrong().empty()) Wrong("malformed answer: " + chunks_->wrong());
    return used;
  }
  if (state_ == State::kUntilClose) {
    Keep(bytes);
    return bytes.size();
  }
  const size_t part = static_cast<size_t>(std::min<uint64_t>(bytes.size(), body_left_));
  Keep(bytes.substr(0, part));
  body_left_ -= part;
  if (body_left_ == 0) state_ = State::kDone;
  return part;
}

}  // namespace outrigger::http
