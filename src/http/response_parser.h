// One answer of an app, read leniently where that is safe, and bounded in everything: head, body,
// chunk framing, trailers, interim answers. A body is not refused for its size: the rest beyond
// max_body is skipped.
//
// Accepted beyond RFC 9112: lines that end in LF alone, folded lines, blanks before a colon,
// one Content-Length repeated. Where the length of the body is given twice, or an HTTP/1.0 app
// sends chunks, the connection is not used again. Bytes come in any pieces; what Read did not use
// is offered again with more behind it. Thread: any one. Source: RFC 9112 sections 4 to 7, RFC 9110
// section 15.2.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/chunked_body.h"
#include "http/client.h"

namespace outrigger::http {

class ResponseParser {
 public:
  explicit ResponseParser(const ClientLimits& limits) : limits_(limits) {}

  // Before each answer. `head_only`: of a HEAD request, without a body whatever its head says.
  void Start(bool head_only);

  // Returns how many of `bytes` were used. What is left when `done` belongs to no answer.
  size_t Read(std::string_view bytes);
  // The connection ended: a body without a length is then whole.
  void End();

  bool done() const { return state_ == State::kDone; }
  // Why the answer is unusable; empty: no error so far.
  const std::string& wrong() const { return wrong_; }
  // Whether the connection can be used again. Once done.
  bool keep_alive() const { return keep_alive_; }
  Answer TakeAnswer() { return std::move(answer_); }

 private:
  enum class State { kHead, kLength, kChunked, kUntilClose, kDone };

  size_t ReadHead(std::string_view bytes);
  size_t ReadBody(std::string_view bytes);
  // Where the head ends, behind its empty line.
  std::optional<size_t> FindEnd(std::string_view bytes);
  void ReadStatusLine(std::string_view line);
  void ReadField(std::string_view line);
  // What a field says about the connection and the body.
  void Heed(std::string_view name, std::string_view value);
  void ReadLength(std::string_view value);
  void OnHead();
  void Wrong(std::string what);
  void Keep(std::string_view bytes);

  const ClientLimits& limits_;
  State state_ = State::kDone;
  bool head_only_ = false;
  bool keep_alive_ = false;
  int interim_ = 0;         // 1xx answers that were skipped
  size_t line_begin_ = 0;   // of the head, the line that is not whole yet
  uint64_t body_left_ = 0;  // of a body with a length
  uint64_t body_read_ = 0;  // including what was skipped
  bool http_1_0_ = false;
  std::optional<uint64_t> length_;
  std::optional<ChunkedBody> chunks_;
  Answer answer_;
  std::string wrong_;
};

}  // namespace outrigger::http
