// An HTTP/1.1 client of one app on a loop: a bounded pool of kept connections, one deadline for
// each call. An answer counts when it is whole; of a large body only the beginning is kept.
//
// A call waits while all connections are busy, first come, first served. Its deadline counts while
// it waits, but not while the loop does not run (AwakeTime). A kept connection that the app closed
// before it could have read any of a call is replaced once. Nothing else is retried here: the app
// never sees a call twice.
//
// Thread: the loop's. Lifetime: the Loop outlives the Client; destroying a Client closes every
// connection and makes no callback.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/loop.h"
#include "base/result.h"
#include "http/endpoint.h"
#include "http/header_lines.h"

namespace outrigger::http {

struct ClientLimits {
  size_t max_connections = 64;  // a quarter of what the process may open is never exceeded
  uint64_t max_header = 64 << 10;
  uint64_t max_body = 64 << 10;    // the rest is read and skipped
  uint64_t max_trailer = 8 << 10;  // trailers and chunk extensions together
  std::chrono::milliseconds idle{30000};
};

struct Call {
  std::string method = "POST";
  std::string path = "/";
  // Without Host, Content-Length, Transfer-Encoding, Connection, Expect, Upgrade, which the client
  // sets.
  HeaderLines headers;
  std::string body;
  std::chrono::milliseconds timeout{10000};  // from Send to the answer's last byte
};

struct Answer {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;
  bool cut_short = false;  // it was larger than max_body; this is its beginning

  // The first header of that (lower case) name, or empty.
  std::string_view Find(std::string_view name) const;
};

enum class Failure {
  kRefused,    // no connection: nobody listens there, or it can't be reached
  kCut,        // the connection ended before a whole answer
  kTimeout,    // no whole answer in time
  kProtocol,   // the answer is malformed or over a limit; or, not sent, the call itself is
  kCancelled,  // by Cancel
};

struct CallError {
  Failure failure = Failure::kCut;
  std::string message;
  bool sent = false;  // the app may have seen (a part of) it
  // It timed out before the app processed it: it had no connection, or one on which, as on all that
  // were opened later, nothing was ever answered, while others were.
  bool unread = false;
};

using Outcome = tl::expected<Answer, CallError>;
// Called once for each call, on the loop's thread, never inside Send or Cancel.
using OnAnswer = std::function<void(Outcome)>;

class Client {
 public:
  Client(base::Loop& loop, Endpoint endpoint, ClientLimits limits);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  // Returns the call's id, for Cancel.
  uint64_t Send(Call call, OnAnswer on_answer);
  // Closes the call's connection; kCancelled follows. A call that has its answer is left alone.
  void Cancel(uint64_t id);

  size_t in_flight() const;    // calls not called back yet, waiting ones too
  size_t connections() const;  // open or opening

 private:
  class Core;
  std::shared_ptr<Core> core_;
};

}  // namespace outrigger::http
