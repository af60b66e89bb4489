// The head and the body framing of a request; the head by Beast's basic_parser, strict where that
// is lenient.
//
// The caller finds the end of the head (FindHeadEnd) and passes all of it at once; body bytes
// arrive in any pieces. Fields are views into the head's bytes, which must stay. Thread: any one.
// Source: RFC 9112; Beast 1.74 accepts and this refuses: a second Content-Length, Host,
// Content-Type or Authorization, Transfer-Encoding other than one `chunked`, obs-fold.
#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/chunked_body.h"
#include "http/refusal.h"
#include "http/request.h"

namespace outrigger::http {

// Where the head ends (after its empty line), or nothing yet. A line that ends in a bare LF is a
// refusal. `from` is how far earlier calls have looked.
std::optional<size_t> FindHeadEnd(std::string_view bytes, size_t& from,
                                  std::optional<Refusal>& refusal);

class MessageParser : private boost::beast::http::basic_parser<true> {
 public:
  MessageParser(Head& head, uint64_t max_trailer) : head_(head), chunks_(max_trailer, false) {
    header_limit(0xffffffff);
    // Not boost::none: Beast 1.74 compares with it, and everything is greater.
    body_limit(std::numeric_limits<uint64_t>::max());
  }

  // The whole head, its end included. `bytes` is changed (names to lower case) and viewed by
  // `head`.
  std::optional<Refusal> ReadHead(std::string& bytes);

  bool keep_alive() const { return basic_parser::keep_alive(); }
  bool expects_continue() const { return expects_continue_; }
  bool http_1_0() const { return http_1_0_; }
  bool has_body() const { return head_.chunked || head_.content_length.value_or(0) > 0; }

  // Body bytes; `sink` gets the decoded ones and returns how many it took: reading stops when it
  // takes fewer. Returns how many of `bytes` were used; what is left belongs to the next request
  // when `body_done`, else it has to be offered again.
  using Sink = ChunkedBody::Sink;
  size_t ReadBody(std::string_view bytes, const Sink& sink, std::optional<Refusal>& refusal);
  bool body_done() const { return head_.chunked ? chunks_.done() : body_left_ == 0; }
  // The bytes that were announced and have not arrived: of the body, or of the current chunk.
  uint64_t announced() const { return head_.chunked ? chunks_.left() : body_left_; }

 private:
  using string_view = boost::beast::string_view;
  using error_code = boost::beast::error_code;

  void on_request_impl(boost::beast::http::verb, string_view method, string_view target,
                       int version, error_code& error) override;
  void on_field_impl(boost::beast::http::field, string_view name, string_view value,
                     error_code& error) override;
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<uint64_t>&, error_code&) override {}
  size_t on_body_impl(string_view, error_code&) override { return 0; }
  void on_chunk_header_impl(uint64_t, string_view, error_code&) override {}
  size_t on_chunk_body_impl(uint64_t, string_view, error_code&) override { return 0; }
  void on_finish_impl(error_code&) override {}
  void on_response_impl(int, string_view, int, error_code&) override {}

  void Refuse(int status, std::string detail, error_code& error);
  // Refuses a second one of a field that has one value.
  void CheckSingle(std::string_view name, error_code& error);

  Head& head_;
  bool http_1_0_ = false;
  bool expects_continue_ = false;
  int hosts_ = 0;
  uint64_t body_left_ = 0;  // of a body with a length
  ChunkedBody chunks_;
  std::optional<Refusal> refusal_;
};

}  // namespace outrigger::http
