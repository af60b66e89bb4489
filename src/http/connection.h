// One client's connection: heads, bodies, answers and deadlines, one request after the other.
//
// Thread: the server's loop. Lifetime: shared by the server, its pending socket operation and the
// request that the handler has. Deadlines are checked by the sweep of the server, not by a timer
// for each connection.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <functional>
#include <memory>
#include <string>

#include "base/loop.h"
#include "http/http_date.h"
#include "http/message_parser.h"
#include "http/server.h"

namespace outrigger::http {

using Socket = boost::asio::generic::stream_protocol::socket;

// The bytes of an answer; `connection` is that header's value, empty for none.
void AppendAnswer(const Response& response, const std::string& date, std::string_view connection,
                  bool head_only, std::string& out);

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // What connections need of their server.
  struct Owner {
    base::Loop& loop;
    Limits limits;
    Handler handler;
    std::function<void(Connection&)> on_closed;
    bool closing = false;   // each answer is its connection's last
    bool draining = false;  // and idle connections are closed
    uint64_t buffered = 0;  // by the bodies of all connections, of Limits::max_bodies
    uint64_t answers = 0;   // by their answers, of Limits::max_answers
    uint64_t peak = 0;      // of both together
    HttpDate date{};
  };

  Connection(Owner& owner, Socket socket);
  ~Connection();

  void Start();
  // Closes or refuses when the deadline has passed.
  void CheckDeadline(base::TimePoint now);
  // Closes when it is idle and has been for a while, now or then; else after its answers.
  void Drain();
  // Since when it has been waiting for its client, if that is no reason to keep it: null otherwise.
  std::optional<base::TimePoint> GivesWaySince();
  void Close();
  // The server is being destroyed: nothing of it is called any more.
  void Orphan();

 private:
  class ServedRequest;
  friend class ServedRequest;
  static constexpr size_t kSmallBuffer = 4 << 10;

  enum class State {
    kHead,      // reading a head, or idle between two
    kBody,      // reading a body
    kHandling,  // the handler has the request
    kWriting,   // an answer is going out
    kLinger,    // reading on so that the client sees the last answer
    kClosed,
  };
  enum class Wait { kIdle, kHead, kBody, kWrite, kLinger, kNone };

  void Read();
  void OnRead(size_t bytes);
  // Processes what was read until more is needed or the slice is used up.
  void Work();
  bool WorkOnHead();
  bool WorkOnBody();
  void OnHead();
  void Dispatch();
  // Whether the body of this request may hold so much besides the bodies of the others.
  bool HasRoom(uint64_t bytes) const;
  // Counts that body or answer hold so much; false: there is no room.
  bool Hold(uint64_t bytes);
  bool HoldAnswer(uint64_t bytes);
  // Bytes that were received and not looked at yet.
  bool HasUnread();
  Refusal NoRoom() const;
  Refusal BodyTooLarge() const;
  void Answer(ServedRequest& request, Response response);
  void Refuse(const Refusal& refusal);
  void Send(Response response, bool head_only);
  void Write();
  void OnWritten();
  void NextRequest();
  void Linger();
  void Paused(bool paused);
  void SetDeadline(Wait wait);
  void ShrinkBuffers();

  Owner* owner_;
  Socket socket_;
  State state_ = State::kHead;
  Wait wait_ = Wait::kIdle;
  base::TimePoint since_;  // it has been waiting; both by AwakeTime
  base::TimePoint deadline_;

  std::string in_;  // read and not used yet, from in_begin_ on
  size_t in_begin_ = 0;
  size_t head_scanned_ = 0;
  bool reading_ = false;  // a read is under way
  bool working_ = false;  // inside Work: answers given there do not start another
  bool ended_ = false;    // the client sent its last byte

  std::shared_ptr<ServedRequest> request_;  // while head and body are read
  ServedRequest* answering_ = nullptr;      // the request that may answer
  std::unique_ptr<MessageParser> parser_;
  Plan plan_;
  uint64_t max_body_ = 0;
  uint64_t counted_ = 0;         // of the request's body, in Owner::buffered
  uint64_t counted_answer_ = 0;  // of its answer, in Owner::answers
  bool paused_ = false;

  std::string out_;
  size_t out_begin_ = 0;
  bool close_after_ = false;
  size_t lingered_ = 0;
};

}  // namespace outrigger::http
