#include "http/connection.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <span>
#include <utility>

#include "http/served_request.h"

namespace outrigger::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr size_t kSmallBuffer = 4 << 10;
constexpr size_t kLargeBuffer = 64 << 10;
// How much is read after the last answer, for a client that is still sending.
constexpr size_t kLingerBytes = 64 << 20;

asio::const_buffer Buffer(std::string_view bytes) { return {bytes.data(), bytes.size()}; }

}  // namespace

Connection::Connection(Owner& owner, Socket socket)
    : owner_(&owner),
      socket_(std::move(socket)),
      body_(owner.limits, owner.buffers),
      answer_(owner.limits, owner.buffers) {}

void Connection::Start() {
  Await(Wait::kIdle);
  Read();
}

// ---- what comes in

void Connection::Read() {
  if (in_.reading() || in_.ended() || state_ == State::kClosed) return;
  const bool large = state_ == State::kBody || state_ == State::kLinger;
  const size_t old = std::min(in_.unread().size(), kSmallBuffer);
  const std::span<char> room =
      in_.BeginRead(large ? kLargeBuffer : std::max(kSmallBuffer - old, kSmallBuffer / 2));
  socket_.async_read_some(asio::buffer(room.data(), room.size()),
                          [self = shared_from_this()](const error_code& error, size_t bytes) {
                            self->in_.EndRead(bytes);
                            if (self->state_ == State::kClosed) return;
                            if (error) self->in_.End();
                            self->OnRead(error ? 0 : bytes);
                          });
}

void Connection::OnRead(size_t bytes) {
  if (state_ == State::kLinger) {
    lingered_ += bytes;
    in_.Discard();
    if (in_.ended() || lingered_ > kLingerBytes) return Close();
    return Read();
  }
  // A client that is gone gets no answer; one that only closed its sending side gets those that are
  // due.
  if (in_.ended() && (state_ == State::kHead || state_ == State::kBody)) return Close();
  if (state_ == State::kBody && body_.timeout_restarts() && bytes > 0) Await(Wait::kBody);
  Work();
}

void Connection::Work() {
  if (working_ || in_.reading()) return;
  working_ = true;
  const auto self = shared_from_this();
  bool more = true;
  while (more) {
    switch (state_) {
      case State::kHead:
        more = WorkOnHead();
        break;
      case State::kBody:
        more = body_.reading() && WorkOnBody();
        break;
      default:
        more = false;
        break;
    }
  }
  working_ = false;
  if (state_ == State::kHead || (state_ == State::kBody && body_.reading())) Read();
}

bool Connection::WorkOnHead() {
  in_.Use(head_search_.EmptyLines(in_.unread()));
  if (in_.unread().empty()) {
    if (in_.ended()) Close();
    return false;
  }
  if (deadline_.wait() == Wait::kIdle) Await(Wait::kHead);
  std::optional<Refusal> refusal;
  const auto size = head_search_.Find(in_.unread(), owner_->limits.max_header, refusal);
  if (!refusal && !size) return false;
  request_ = std::make_shared<ServedRequest>(shared_from_this());
  answering_ = request_.get();
  parser_ = std::make_unique<MessageParser>(request_->mutable_head(), owner_->limits.max_trailer);
  if (size) {
    request_->head_bytes().assign(in_.unread().substr(0, *size));
    in_.Use(*size);
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
  close_after_ = !parser_->keep_alive();
  Plan plan = owner_->handler.on_head(request);
  if (plan.refuse) return RefuseByPlan(*request, std::move(*plan.refuse));
  if (const auto refusal = body_.Begin(std::move(plan), *request)) return Refuse(*refusal);
  if (!parser_->has_body()) return Dispatch();
  if (parser_->expects_continue() && in_.unread().empty()) SendContinue();
  state_ = State::kBody;
  Await(Wait::kBody);
}

void Connection::RefuseByPlan(ServedRequest& request, Response response) {
  // A body that was received already is skipped; waiting for one would keep the connection busy.
  const uint64_t length = request.head().content_length.value_or(0);
  if (!request.head().chunked && length <= in_.unread().size()) {
    in_.Use(static_cast<size_t>(length));
  } else {
    close_after_ = true;
  }
  request.Answer(std::move(response));
}

void Connection::SendContinue() {
  error_code ignored;
  socket_.write_some(Buffer("HTTP/1.1 100 Continue\r\n\r\n"), ignored);
}

bool Connection::WorkOnBody() {
  std::optional<Refusal> refusal;
  const size_t used = body_.Read(in_.unread(), *parser_, *request_, refusal);
  if (state_ != State::kBody) return false;  // answered from inside on_chunk
  in_.Use(used);
  if (refusal) {
    Refuse(*refusal);
    return false;
  }
  if (!body_.reading() || !parser_->body_done()) return false;
  Dispatch();
  return true;
}

void Connection::Dispatch() {
  state_ = State::kHandling;
  Await(Wait::kNone);
  // From here on the handler owns the request: dropping it sends an answer.
  const std::shared_ptr<ServedRequest> request = std::move(request_);
  body_.Clear();
  owner_->handler.on_request(request);
  if (answering_ == request.get()) body_.Hold(request->body().size());
}

void Connection::SetPaused(bool paused) {
  if (!body_.SetPaused(paused)) return;
  // The sender can't be late while nothing is read.
  Await(paused ? Wait::kNone : Wait::kBody);
  if (!paused) {
    owner_->loop.Post([self = shared_from_this()] {
      if (self->state_ == State::kBody) self->Work();
    });
  }
}

bool Connection::HasUnread() {
  error_code error;
  return !in_.unread().empty() || socket_.available(error) > 0;
}

// ---- what goes out

void Connection::Answer(ServedRequest& request, Response response) {
  if (state_ == State::kClosed || answering_ != &request) return;
  answering_ = nullptr;
  // The rest of an unused body is not read.
  if (state_ == State::kBody) close_after_ = true;
  body_.Stop();
  if (owner_->handler.on_answered) owner_->handler.on_answered(request.endpoint, response.status);
  // A client that has sent more requests gets Connection: close with the last of its answers.
  close_after_ =
      close_after_ || response.close || (owner_->phase != Owner::Phase::kServing && !HasUnread());
  Send(std::move(response), request.head().method == "HEAD");
}

void Connection::Refuse(const Refusal& refusal) {
  const Problem problem = ToProblem(refusal, owner_->limits, body_.streamed());
  close_after_ = true;
  const auto request = std::move(request_);
  body_.Abort();
  if (request) {
    if (owner_->handler.on_refused) owner_->handler.on_refused(*request, problem);
    return request->Answer(ToResponse(problem));
  }
  if (owner_->handler.on_answered) owner_->handler.on_answered("none", refusal.status);
  Send(ToResponse(problem), false);
}

void Connection::Send(Response response, bool head_only) {
  request_.reset();
  body_.Release();
  state_ = State::kWriting;
  // HTTP/1.0 needs an explicit keep-alive.
  const bool kept_1_0 = parser_ && parser_->http_1_0();
  answer_.Make(std::move(response), owner_->date.Text(owner_->loop.Wall()),
               close_after_ ? "close" : (kept_1_0 ? "keep-alive" : ""), head_only);
  Await(Wait::kWrite);
  Write();
}

void Connection::Write() {
  // Most answers fit into the socket's buffer: no need to wait for the loop to say so.
  error_code error;
  answer_.Sent(socket_.write_some(Buffer(answer_.unsent()), error));
  if (error && error != asio::error::would_block) return Close();
  if (answer_.unsent().empty()) return OnWritten();
  asio::async_write(socket_, Buffer(answer_.unsent()),
                    [self = shared_from_this()](const error_code& failed, size_t) {
                      if (self->state_ == State::kClosed) return;
                      if (failed) return self->Close();
                      self->OnWritten();
                    });
}

void Connection::OnWritten() {
  answer_.Clear();
  in_.Shrink(kSmallBuffer * 2);
  if (close_after_) return Linger();
  NextRequest();
}

void Connection::NextRequest() {
  state_ = State::kHead;
  parser_.reset();
  Await(Wait::kIdle);
  Work();
}

void Connection::Linger() {
  state_ = State::kLinger;
  Await(Wait::kLinger);
  error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
  in_.Discard();
  if (in_.ended()) return Close();
  Read();
}

// ---- deadlines and the end

void Connection::Await(Wait wait) {
  if (wait == Wait::kNone) return deadline_.Clear();
  deadline_.Set(wait, owner_->limits, owner_->loop.AwakeNow());
  if (owner_->phase == Owner::Phase::kDraining) deadline_.ShortenForDrain();
}

void Connection::CheckDeadline(base::TimePoint now) {
  if (!deadline_.Passed(now)) return;
  const auto self = shared_from_this();
  if (const auto refusal = deadline_.TooLate()) return Refuse(*refusal);
  Close();
}

void Connection::Drain() {
  if (deadline_.wait() != Wait::kIdle) return;
  deadline_.ShortenForDrain();
  if (deadline_.Passed(owner_->loop.AwakeNow()) && !HasUnread()) Close();
}

std::optional<base::TimePoint> Connection::GivesWaySince(base::TimePoint now) {
  const auto since = deadline_.GivesWaySince(now);
  if (since && deadline_.wait() == Wait::kIdle && HasUnread()) return std::nullopt;
  return since;
}

void Connection::Close() {
  if (state_ == State::kClosed) return;
  const auto self = shared_from_this();
  state_ = State::kClosed;
  deadline_.Clear();
  body_.Release();
  answer_.Release();
  error_code ignored;
  socket_.close(ignored);
  body_.Abort();
  body_.Clear();
  answering_ = nullptr;
  if (const auto request = std::move(request_)) request->Forget();
  if (owner_) owner_->on_closed(*this);
}

void Connection::Orphan() {
  body_.Clear();
  if (owner_) owner_->on_closed = [](Connection&) {};
  Close();
  owner_ = nullptr;
}

}  // namespace outrigger::http
