// One answer of an app, on Beast's basic_parser, strict where that is lenient (see
// message_parser.h) and bounded in everything: head, body, chunk framing, trailers, interim
// answers. A body is not refused for its size: what is beyond max_body is passed over.
//
// Bytes come in any pieces; what Read did not use is offered again with more behind it. Thread: any
// one. Source: RFC 9112 sections 4, 6 and 7, RFC 9110 section 15.2.
#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

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
  // What makes the answer unusable; empty: nothing so far.
  const std::string& wrong() const { return wrong_; }
  // Whether the connection can be used again. Once done.
  bool keep_alive() const { return keep_alive_; }
  Answer TakeAnswer() { return std::move(answer_); }

 private:
  enum class State { kHead, kLength, kChunked, kUntilClose, kDone };

  // A head and, if it is chunked, the body behind it.
  class Message : private boost::beast::http::basic_parser<false> {
   public:
    Message(ResponseParser& parser, bool head_only) : parser_(parser) {
      header_limit(std::numeric_limits<uint32_t>::max());
      // Not boost::none: Beast 1.74 compares with it, and everything is greater.
      body_limit(std::numeric_limits<uint64_t>::max());
      skip(head_only);
    }
    void ReadHead(std::string_view bytes);
    size_t ReadChunks(std::string_view bytes);

    bool keep_alive() const { return basic_parser::keep_alive(); }
    bool chunked() const { return chunked_; }
    const std::optional<uint64_t>& length() const { return length_; }

   private:
    using string_view = boost::beast::string_view;
    using error_code = boost::beast::error_code;

    void on_request_impl(boost::beast::http::verb, string_view, string_view, int,
                         error_code&) override {}
    void on_response_impl(int status, string_view reason, int version, error_code& error) override;
    void on_field_impl(boost::beast::http::field, string_view name, string_view value,
                       error_code& error) override;
    void on_header_impl(error_code&) override {}
    void on_body_init_impl(const boost::optional<uint64_t>&, error_code&) override {}
    size_t on_body_impl(string_view, error_code&) override { return 0; }
    void on_chunk_header_impl(uint64_t size, string_view extensions, error_code& error) override;
    size_t on_chunk_body_impl(uint64_t, string_view bytes, error_code&) override;
    void on_finish_impl(error_code&) override {}

    void OnHeadField(std::string_view name, std::string_view value, error_code& error);
    void Wrong(std::string what, error_code& error);

    ResponseParser& parser_;
    bool in_head_ = true;
    bool http_1_0_ = false;
    bool chunked_ = false;
    bool needs_more_ = false;  // a chunk's line or the trailers are incomplete
    std::optional<uint64_t> length_;
    uint64_t trailer_bytes_ = 0;  // of trailers and chunk extensions together
    uint64_t chunk_bytes_ = 0;    // of the chunked body as it is sent
  };

  size_t ReadHead(std::string_view bytes);
  size_t ReadBody(std::string_view bytes);
  void OnHead();
  void Wrong(std::string what);
  void Keep(std::string_view bytes);

  const ClientLimits& limits_;
  State state_ = State::kDone;
  bool head_only_ = false;
  bool keep_alive_ = false;
  int interim_ = 0;         // 1xx answers passed over
  size_t scanned_ = 0;      // of the head
  uint64_t body_left_ = 0;  // of a body with a length
  uint64_t body_read_ = 0;  // what was passed over as well
  std::optional<Message> message_;
  Answer answer_;
  std::string wrong_;
};

}  // namespace outrigger::http
