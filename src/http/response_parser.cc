#include "http/response_parser.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>

#include "http/message_parser.h"

namespace outrigger::http {
namespace {

namespace beast = boost::beast;

// So many 1xx answers are passed over; an app has no reason for more than a few.
constexpr int kMaxInterim = 16;
// Chunks of one byte each are sent as six; framing that takes more is no body.
constexpr uint64_t kChunkOverhead = 8;

std::string_view View(beast::string_view text) { return {text.data(), text.size()}; }

char Lower(char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c); }

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), Lower);
  return lower;
}

bool HasControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
  });
}

bool HasFold(std::string_view lines) {
  return lines.find("\r\n ") != std::string_view::npos ||
         lines.find("\r\n\t") != std::string_view::npos;
}

std::string Bytes(uint64_t count) { return std::to_string(count) + " bytes"; }

}  // namespace

void ResponseParser::Start(bool head_only) {
  state_ = State::kHead;
  head_only_ = head_only;
  keep_alive_ = false;
  interim_ = 0;
  scanned_ = 0;
  body_read_ = 0;
  message_.reset();
  answer_ = Answer();
  wrong_.clear();
}

void ResponseParser::Wrong(std::string what) {
  if (wrong_.empty()) wrong_ = std::move(what);
}

// An app that answers at length has handled the event all the same, and its connection stays good.
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

size_t ResponseParser::ReadHead(std::string_view bytes) {
  // What speaks another protocol is told from its first bytes, and not waited for.
  static constexpr std::string_view kBegin = "HTTP/1.";
  const size_t common = std::min(bytes.size(), kBegin.size());
  if (bytes.substr(0, common) != kBegin.substr(0, common)) {
    Wrong("malformed answer: not HTTP/1.1");
    return 0;
  }
  std::optional<Refusal> refusal;
  const auto end = FindHeadEnd(bytes, scanned_, refusal);
  if (refusal) {
    Wrong("malformed answer: " + refusal->detail);
    return 0;
  }
  if (end.value_or(bytes.size()) > limits_.max_header) {
    Wrong("the answer's head is larger than " + Bytes(limits_.max_header));
    return 0;
  }
  if (!end) return 0;
  scanned_ = 0;
  message_.emplace(*this, head_only_);
  message_->ReadHead(bytes.substr(0, *end));
  if (wrong_.empty()) OnHead();
  return *end;
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
  keep_alive_ = message_->keep_alive();
  if (head_only_ || status == 204 || status == 304) {
    // A body that is not allowed may follow all the same: it would be taken for the next answer.
    if (!head_only_ && (message_->chunked() || message_->length().value_or(0) > 0))
      keep_alive_ = false;
    state_ = State::kDone;
  } else if (message_->chunked()) {
    state_ = State::kChunked;
  } else if (message_->length()) {
    body_left_ = *message_->length();
    answer_.body.reserve(static_cast<size_t>(std::min(body_left_, limits_.max_body)));
    state_ = body_left_ > 0 ? State::kLength : State::kDone;
  } else {
    keep_alive_ = false;
    state_ = State::kUntilClose;
  }
}

size_t ResponseParser::ReadBody(std::string_view bytes) {
  if (state_ == State::kChunked) return message_->ReadChunks(bytes);
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

void ResponseParser::Message::Wrong(std::string what, error_code& error) {
  parser_.Wrong(std::move(what));
  error = beast::http::error::bad_value;
}

void ResponseParser::Message::ReadHead(std::string_view bytes) {
  // "HTTP/1.1 200" without a reason and without the blank before it: common enough, and clear.
  std::string with_blank;
  if (bytes.size() > 14 && bytes[12] == '\r') {
    with_blank.append(bytes.substr(0, 12)).append(" ").append(bytes.substr(12));
    bytes = with_blank;
  }
  error_code error;
  put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
  in_head_ = false;
  if (error) return parser_.Wrong("malformed answer: " + error.message());
  if (!is_header_done()) return parser_.Wrong("malformed answer: its head ends early");
  if (chunked_ && length_)
    parser_.Wrong("malformed answer: Content-Length and Transfer-Encoding exclude each other");
}

void ResponseParser::Message::on_response_impl(int status, string_view, int version, error_code&) {
  parser_.answer_.status = status;
  http_1_0_ = version == 10;
}

void ResponseParser::Message::on_field_impl(beast::http::field, string_view name, string_view value,
                                            error_code& error) {
  if (in_head_) return OnHeadField(View(name), View(value), error);
  trailer_bytes_ += name.size() + value.size();
  if (trailer_bytes_ > parser_.limits_.max_trailer)
    Wrong("the answer's trailers and chunk extensions are too large", error);
}

void ResponseParser::Message::OnHeadField(std::string_view name, std::string_view value,
                                          error_code& error) {
  const std::string& lower =
      parser_.answer_.headers.emplace_back(LowerCase(name), std::string(value)).first;
  if (lower == "content-length") {
    if (length_) return Wrong("malformed answer: Content-Length stands twice", error);
    if (value.empty()) return Wrong("malformed answer: Content-Length is empty", error);
    uint64_t length = 0;
    for (const char c : value) {
      if (c < '0' || c > '9' || length > (uint64_t{1} << 59))
        return Wrong("malformed answer: Content-Length is not a number of bytes", error);
      length = length * 10 + static_cast<uint64_t>(c - '0');
    }
    length_ = length;
  } else if (lower == "transfer-encoding") {
    if (http_1_0_) return Wrong("malformed answer: HTTP/1.0 has no Transfer-Encoding", error);
    if (chunked_) return Wrong("malformed answer: Transfer-Encoding stands twice", error);
    if (LowerCase(value) != "chunked")
      return Wrong("the answer has a Transfer-Encoding other than chunked", error);
    chunked_ = true;
  }
}

void ResponseParser::Message::on_chunk_header_impl(uint64_t, string_view extensions,
                                                   error_code& error) {
  trailer_bytes_ += extensions.size();
  if (trailer_bytes_ > parser_.limits_.max_trailer)
    return Wrong("the answer's trailers and chunk extensions are too large", error);
  if (HasControl(View(extensions)))
    return Wrong("malformed answer: a chunk's line has a control byte", error);
}

size_t ResponseParser::Message::on_chunk_body_impl(uint64_t, string_view bytes, error_code&) {
  parser_.Keep(View(bytes));
  return bytes.size();
}

size_t ResponseParser::Message::ReadChunks(std::string_view bytes) {
  size_t used = 0;
  while (used < bytes.size() && !is_done()) {
    // Beast 1.74 asserts that a last chunk it has seen the start of comes again with 5 bytes or
    // more; no body ends in fewer.
    if (needs_more_ && bytes.size() - used < 5) break;
    error_code error;
    const size_t step =
        put(boost::asio::const_buffer(bytes.data() + used, bytes.size() - used), error);
    // The step that ends the body is its last line with all trailers.
    if (!error && is_done() && HasFold(bytes.substr(used, step)))
      Wrong("malformed answer: a trailer's line begins with a blank (obs-fold)", error);
    used += step;
    needs_more_ = error == beast::http::error::need_more;
    if (needs_more_) break;
    if (error) parser_.Wrong("malformed answer: " + error.message());
    if (error || step == 0) break;
  }
  chunk_bytes_ += used;
  // What waits for more is one line, or the trailers: it may not grow beyond their budget.
  if (needs_more_ && bytes.size() - used > parser_.limits_.max_trailer + 64)
    parser_.Wrong("the answer's trailers and chunk extensions are too large");
  if (chunk_bytes_ > parser_.body_read_ * kChunkOverhead + parser_.limits_.max_trailer + 1024)
    parser_.Wrong("the answer's chunks are far larger than the body they hold");
  if (parser_.wrong_.empty() && is_done()) parser_.state_ = State::kDone;
  return used;
}

}  // namespace outrigger::http
