#include "http/connection.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>

#include "http/served_request.h"

namespace outrigger::http {
namespace {

using boost::system::error_code;

constexpr size_t kLargeBuffer = 64 << 10;
// How much is read after the last answer, for a client that is still sending.
constexpr size_t kLingerBytes = 64 << 20;

}  // namespace

Connection::Connection(Owner& owner, Socket socket) : owner_(&owner), socket_(std::move(socket)) {
  in_.reserve(kSmallBuffer);
}

Connection::~Connection() = default;

void Connection::Start() {
  SetDeadline(Wait::kIdle);
  Read();
}

void Connection::Read() {
  if (reading_ || ended_ || state_ == State::kClosed) return;
  if (in_begin_ > 0) {
    in_.erase(0, in_begin_);
    in_begin_ = 0;
  }
  const bool large = state_ == State::kBody || state_ == State::kLinger;
  const size_t old = in_.size();
  const size_t room =
      large ? kLargeBuffer : std::max(kSmallBuffer - std::min(old, kSmallBuffer), kSmallBuffer / 2);
  in_.resize(old + room);
  reading_ = true;
  socket_.async_read_some(boost::asio::buffer(in_.data() + old, room),
                          [self = shared_from_this(), old](const error_code& error, size_t bytes) {
                            self->reading_ = false;
                            if (self->state_ == State::kClosed) return;
                            self->in_.resize(old + bytes);
                            if (error) {
                              self->ended_ = true;
                              bytes = 0;
                            }
                            self->OnRead(bytes);
                          });
}

void Connection::OnRead(size_t bytes) {
  if (state_ == State::kLinger) {
    lingered_ += bytes;
    in_.clear();
    if (ended_ || lingered_ > kLingerBytes) return Close();
    return Read();
  }
  // A client that is gone gets no answer; one that only closed its sending side gets those that are
  // due.
  if (ended_ && (state_ == State::kHead || state_ == State::kBody)) return Close();
  if (state_ == State::kBody && plan_.timeout_restarts && bytes > 0) SetDeadline(Wait::kBody);
  Work();
}

void Connection::Work() {
  // While a read is under way the end of in_ is its room, not bytes that came.
  if (working_ || reading_) return;
  working_ = true;
  const auto self = shared_from_this();
  bool more = true;
  while (more) {
    switch (state_) {
      case State::kHead:
        more = WorkOnHead();
        break;
      case State::kBody:
        more = !paused_ && WorkOnBody();
        break;
      default:
        more = false;
        break;
    }
  }
  working_ = false;
  if (state_ == State::kHead || (state_ == State::kBody && !paused_)) Read();
}

bool Connection::WorkOnHead() {
  // An empty line before a request is tolerated (RFC 9112 section 2.2).
  while (in_.size() - in_begin_ >= 2 && in_[in_begin_] == '\r' && in_[in_begin_ + 1] == '\n') {
    in_begin_ += 2;
    head_scanned_ = 0;
  }
  const std::string_view bytes = std::string_view(in_).substr(in_begin_);
  if (bytes.empty()) {
    if (ended_) Close();
    return false;
  }
  if (wait_ == Wait::kIdle) SetDeadline(Wait::kHead);
  std::optional<Refusal> refusal;
  const auto end = FindHeadEnd(bytes, head_scanned_, refusal);
  const size_t head_size = end.value_or(bytes.size());
  if (!refusal && head_size > owner_->limits.max_header) {
    refusal = {
        431,
        "the request's head is larger than " + std::to_string(owner_->limits.max_header) + " bytes",
        "maxHeader"};
  }
  if (!refusal && !end) return false;
  request_ = std::make_shared<ServedRequest>(shared_from_this());
  answering_ = request_.get();
  Head& head = request_->mutable_head();
  parser_ = std::make_unique<MessageParser>(head, owner_->limits.max_trailer);
  if (!refusal) {
    request_->head_bytes().assign(bytes.substr(0, *end));
    in_begin_ += *end;
    head_scanned_ = 0;
    refusal = parser_->ReadHead(request_->head_bytes());
  }
  if (refusal) {
    Refuse(*refusal);
    return false;
  }
  OnHead();
  return true;
}

void Connection::OnHead() {
  const std::shared_ptr<ServedRequest> request = request_;
  const Head& head = request->head();
  close_after_ = !parser_->keep_alive();
  plan_ = owner_->handler.on_head(request);
  if (plan_.refuse) {
    // A body that was received already is skipped; waiting for one would keep the connection busy.
    const uint64_t length = head.content_length.value_or(0);
    if (!head.chunked && length <= in_.size() - in_begin_) {
      in_begin_ += static_cast<size_t>(length);
    } else {
      close_after_ = true;
    }
    request->Answer(std::move(*plan_.refuse));
    return;
  }
  const Limits& limits = owner_->limits;
  max_body_ = std::min(plan_.max_body > 0 ? plan_.max_body : limits.max_body, limits.max_bodies);
  if (const uint64_t length = head.content_length.value_or(0); !plan_.on_chunk && length > 0) {
    if (length > max_body_) return Refuse(BodyTooLarge());
    if (!HasRoom(length)) return Refuse(NoRoom());
    request->body().reserve(static_cast<size_t>(length));
  }
  if (!parser_->has_body()) return Dispatch();
  if (parser_->expects_continue() && in_.size() == in_begin_) {
    static constexpr char kContinue[] = "HTTP/1.1 100 Continue\r\n\r\n";
    error_code ignored;
    socket_.write_some(boost::asio::buffer(kContinue, sizeof kContinue - 1), ignored);
  }
  state_ = State::kBody;
  SetDeadline(Wait::kBody);
}

bool Connection::WorkOnBody() {
  std::optional<Refusal> refusal;
  const auto sink = [&](std::string_view bytes) -> size_t {
    if (refusal || paused_ || state_ != State::kBody) return 0;
    if (plan_.on_chunk) {
      const size_t taken = plan_.on_chunk(bytes);
      if (state_ != State::kBody) return 0;  // answered from inside
      if (!Hold(request_->held)) refusal = NoRoom();
      return taken;
    }
    std::string& body = request_->body();
    if (body.size() + bytes.size() > max_body_) {
      refusal = BodyTooLarge();
    } else if (!Hold(body.size() + bytes.size())) {
      refusal = NoRoom();
    } else {
      body.append(bytes);
    }
    return bytes.size();
  };
  std::optional<Refusal> framing;
  const std::string_view bytes = std::string_view(in_).substr(in_begin_);
  const size_t used = parser_->ReadBody(bytes, sink, framing);
  in_begin_ += used;
  if (state_ != State::kBody) return false;  // answered from inside on_chunk
  if (framing && !refusal) refusal = framing;
  if (refusal) {
    Refuse(*refusal);
    return false;
  }
  if (!paused_ && parser_->body_done()) {
    Dispatch();
    return true;
  }
  // The announced size of a chunk may exceed the limit before its bytes arrive.
  if (!plan_.on_chunk && max_body_ < owner_->limits.max_bodies &&
      parser_->announced() > max_body_ - request_->body().size())
    Refuse(BodyTooLarge());
  return false;
}

void Connection::Dispatch() {
  state_ = State::kHandling;
  SetDeadline(Wait::kNone);
  paused_ = false;
  // From here on the handler owns the request: dropping it sends an answer.
  const std::shared_ptr<ServedRequest> request = std::move(request_);
  plan_.on_chunk = nullptr;
  plan_.on_abort = nullptr;
  owner_->handler.on_request(request);
  if (answering_ == request.get()) Hold(request->body().size());
}

void Connection::Paused(bool paused) {
  if (state_ != State::kBody || paused_ == paused) return;
  paused_ = paused;
  // The sender can't be late while nothing is read.
  SetDeadline(paused ? Wait::kNone : Wait::kBody);
  if (!paused) {
    owner_->loop.Post([self = shared_from_this()] {
      if (self->state_ == State::kBody) self->Work();
    });
  }
}

void Connection::Close() {
  if (state_ == State::kClosed) return;
  const auto self = shared_from_this();
  state_ = State::kClosed;
  SetDeadline(Wait::kNone);
  if (owner_) {
    Hold(0);
    HoldAnswer(0);
  }
  error_code ignored;
  socket_.close(ignored);
  if (plan_.on_abort) std::exchange(plan_.on_abort, nullptr)();
  plan_ = Plan();
  answering_ = nullptr;
  if (const auto request = std::move(request_)) request->Forget();
  if (owner_) owner_->on_closed(*this);
}

void Connection::Orphan() {
  plan_ = Plan();
  if (owner_) owner_->on_closed = [](Connection&) {};
  Close();
  owner_ = nullptr;
}

}  // namespace outrigger::http
