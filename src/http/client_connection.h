// One connection to an app: connects, then carries one call after the other.
//
// It reads all the time, also between two calls, so that the end of a kept connection is seen at
// once, and unexpected bytes close it. Deadlines are watched by the client.
//
// Thread: the client's loop. Lifetime: shared by the client and the pending socket operation; once
// closed it touches neither its owner nor the setup.
#pragma once

#include <memory>
#include <string>

#include "base/loop.h"
#include "http/client.h"
#include "http/connect_attempts.h"
#include "http/read_buffer.h"
#include "http/response_parser.h"
#include "http/socket.h"

namespace outrigger::http {

// A call from Send to its answer.
struct Work {
  uint64_t id = 0;
  Call call;
  OnAnswer on_answer;
  base::TimePoint started;  // when it was given to its connection
  base::TimePoint deadline;
  bool sent = false;     // bytes of it went out
  bool retried = false;  // it is on its second connection, and there is no third
};

class ClientConnection : public std::enable_shared_from_this<ClientConnection> {
 public:
  // The callbacks to the client, always from the loop, never from inside Open or Send.
  class Owner {
   public:
    // The connection is idle or closed when this is called. `stale`: it had been kept, and ended
    // before the app could have read any of the call.
    virtual void OnFinished(ClientConnection& connection, std::unique_ptr<Work> work,
                            Outcome outcome, bool stale) = 0;
    virtual void OnIdleEnded(ClientConnection& connection) = 0;

   protected:
    ~Owner() = default;
  };
  // What the connections of a client share.
  struct Setup {
    base::Loop& loop;
    Endpoint endpoint;
    ClientLimits limits;
    std::string host;  // the Host header's value
  };

  ClientConnection(const Setup& setup, Owner& owner);

  // Connects and sends. Once.
  void Open(std::unique_ptr<Work> work);
  // Sends on an idle connection.
  void Send(std::unique_ptr<Work> work);
  // Closes without a callback, and returns the call in flight.
  std::unique_ptr<Work> Close();

  // Looks whether an idle connection is still open and silent.
  bool Usable();
  bool closed() const { return state_ == State::kClosed; }
  const Work* work() const { return work_.get(); }

  // A byte of the answer to the call under way came.
  bool answering() const { return any_byte_; }

  // For the owner's use.
  base::TimePoint idle_until;
  uint64_t number = 0;  // of all that were opened

 private:
  using error_code = boost::system::error_code;
  enum class State { kConnecting, kBusy, kIdle, kClosed };

  void OnConnected(ConnectAttempts::Connected connected);
  void BuildHead();
  void Write();
  void Read();
  void OnRead(size_t bytes, const error_code& error);
  void Finish();
  // Whether the app certainly has read nothing of the call under way, now that the connection
  // ended.
  bool Unread(const error_code& error);
  void Fail(Failure failure, std::string message, bool stale = false);

  const Setup& setup_;
  Owner& owner_;
  std::shared_ptr<ConnectAttempts> attempts_;  // until one of them succeeds
  Socket socket_;                              // from then on
  State state_ = State::kConnecting;
  std::unique_ptr<Work> work_;

  std::string out_;         // the head, and of the body what did not go out at once
  bool writing_ = false;    // a write is under way
  bool reused_ = false;     // the call under way is not the first one
  bool any_byte_ = false;   // of the answer to the call under way came
  bool just_read_ = false;  // the answer before, and nothing behind it
  uint64_t call_size_ = 0;  // of the call under way, as it is sent
  uint64_t earlier_ = 0;    // of the calls before it, together

  ReadBuffer in_;
  ResponseParser parser_;
};

}  // namespace outrigger::http
