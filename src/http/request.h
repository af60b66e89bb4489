// One HTTP request as a handler sees it, and the answer to it.
//
// Thread: the server's loop. Lifetime: a Request is shared; it stays valid while anybody holds it,
// also after the connection has gone (Answer then does nothing).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace outrigger::http {

struct Field {
  std::string_view name;   // lower case
  std::string_view value;  // without blanks at its ends
};

struct Head {
  std::string method;
  std::string path;                                        // percent-decoded, begins with '/'
  std::vector<std::pair<std::string, std::string>> query;  // percent-decoded, in order
  std::vector<Field> fields;                               // views into the request's own buffer
  std::optional<uint64_t> content_length;
  bool chunked = false;

  // The first field of that (lower case) name, or empty.
  std::string_view Find(std::string_view name) const;
  const std::string* Query(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  bool close = false;  // close the connection after this answer
};

class Request;

// What takes a request when its body is complete, where on_head chooses that for each request.
class BodyReader {
 public:
  BodyReader() = default;
  BodyReader(const BodyReader&) = delete;
  BodyReader& operator=(const BodyReader&) = delete;
  virtual ~BodyReader() = default;

  // Answers the request now or later.
  virtual void OnBody(const std::shared_ptr<Request>& request) = 0;
};

class Request {
 public:
  virtual ~Request() = default;

  const Head& head() const { return head_; }
  // The whole body; empty when it was streamed. The handler may move it away.
  std::string& body() { return body_; }
  // Frees the body's memory, which otherwise stays until the answer.
  void DropBody() { std::string().swap(body_); }

  // The path template that metrics show, set by the handler ("/v1/events"). A literal: it is not
  // copied.
  std::string_view endpoint = "none";

  // For the handler, which sets it in on_head and uses it in on_request.
  std::shared_ptr<BodyReader> body_reader;

  // How many bytes of a streamed body the handler keeps; what the server holds for all bodies is
  // bounded.
  size_t held = 0;

  // Counts that the answer will take so much memory; what the answers of all requests hold is
  // bounded. False: there is no room for that, and what was counted before stays.
  virtual bool ReserveAnswer(uint64_t bytes) = 0;
  // The config field of that bound.
  virtual std::string AnswersLimit() const = 0;

  // Sends the answer; the first call counts. For a streamed body, answering before its end closes
  // after the answer.
  virtual void Answer(Response response) = 0;

  // Flow control of a streamed body: no on_chunk, and no end, between Pause and Resume.
  virtual void Pause() = 0;
  virtual void Resume() = 0;

 protected:
  Head head_;
  std::string body_;
};

}  // namespace outrigger::http
