// One client's connection: heads, bodies, answers and deadlines, one request after the other.
//
// Its parts hold what they are about, and know no socket: what was read (ReadBuffer), the search
// for a head in it (HeadSearch), the body that comes (IncomingBody), the answer that goes out
// (OutgoingAnswer) and the time that the client has (Deadline). The connection moves bytes between
// them and the socket, and decides what is next.
//
// Thread: the server's loop. Lifetime: shared by the server, its pending socket operation and the
// request that the handler has. Deadlines are checked by the sweep of the server, not by a timer
// for each connection.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "base/loop.h"
#include "http/buffer_budget.h"
#include "http/deadline.h"
#include "http/handler.h"
#include "http/head_search.h"
#include "http/http_date.h"
#include "http/incoming_body.h"
#include "http/limits.h"
#include "http/message_parser.h"
#include "http/outgoing_answer.h"
#include "http/read_buffer.h"
#include "http/socket.h"

namespace outrigger::http {

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // What connections need of their server.
  struct Owner {
    enum class Phase {
      kServing,
      kClosing,   // each answer is its connection's last
      kDraining,  // and idle connections are closed
    };

    base::Loop& loop;
    Limits limits;
    Handler handler;
    std::function<void(Connection&)> on_closed;
    Phase phase = Phase::kServing;
    BufferBudget buffers{limits};
    HttpDate date{};
  };

  Connection(Owner& owner, Socket socket);

  void Start();
  // Closes or refuses when the deadline has passed.
  void CheckDeadline(base::TimePoint now);
  // Closes when it is idle and has been for a while, now or then; else after its answers.
  void Drain();
  // Since when it has been waiting for its client, if that is no reason to keep it: null otherwise.
  std::optional<base::TimePoint> GivesWaySince(base::TimePoint now);
  void Close();
  // The server is being destroyed: nothing of it is called any more.
  void Orphan();

 private:
  class ServedRequest;
  friend class ServedRequest;
  using Wait = Deadline::Wait;

  enum class State {
    kHead,      // reading a head, or idle between two
    kBody,      // reading a body
    kHandling,  // the handler has the request
    kWriting,   // an answer is going out
    kLinger,    // reading on so that the client sees the last answer
    kClosed,
  };

  void Read();
  void OnRead(size_t bytes);
  // Processes what was read until more is needed.
  void Work();
  bool WorkOnHead();
  bool WorkOnBody();
  void OnHead();
  void RefuseByPlan(ServedRequest& request, Response response);
  void SendContinue();
  void Dispatch();
  // Whether there are bytes that were received and not looked at yet.
  bool HasUnread();
  void Answer(ServedRequest& request, Response response);
  void Refuse(const Refusal& refusal);
  void Send(Response response, bool head_only);
  void Write();
  void OnWritten();
  void NextRequest();
  void Linger();
  void SetPaused(bool paused);
  void Await(Wait wait);

  Owner* owner_;
  Socket socket_;
  State state_ = State::kHead;
  Deadline deadline_;
  ReadBuffer in_;
  HeadSearch head_search_;
  std::shared_ptr<ServedRequest> request_;  // while head and body are read
  ServedRequest* answering_ = nullptr;      // the request that may answer
  std::unique_ptr<MessageParser> parser_;
  IncomingBody body_;
  OutgoingAnswer answer_;
  bool working_ = false;      // inside Work: answers given there do not start another
  bool close_after_ = false;  // the answer is the last one
  size_t lingered_ = 0;       // bytes that were read after it
};

}  // namespace outrigger::http
