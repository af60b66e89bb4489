#include "http/client.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "http/client_connection.h"
#include "http/header_text.h"
#include "http/open_files.h"

namespace outrigger::http {
namespace {

// Deadlines that are closer together are checked together.
constexpr auto kSweepAtLeast = std::chrono::milliseconds(5);

bool IsVisible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

// Empty: it can be sent as it is.
std::string WhatIsWrong(const Call& call) {
  if (!IsToken(call.method)) return "the call's method is no method";
  if (call.path.empty() || call.path[0] != '/' || !IsVisible(call.path) ||
      call.path.find('#') != std::string::npos)
    return "the call's path is no path, or not percent-encoded";
  return call.headers.wrong();
}

}  // namespace

std::string_view Answer::Find(std::string_view name) const {
  for (const auto& [known, value] : headers)
    if (known == name) return value;
  return {};
}

class Client::Core final : public std::enable_shared_from_this<Client::Core>,
                           public ClientConnection::Owner {
 public:
  Core(base::Loop& loop, Endpoint endpoint, ClientLimits limits)
      : setup_{loop, endpoint, limits, HostHeader(endpoint)} {
    // Where the process may open few files, leave some for others.
    setup_.limits.max_connections = static_cast<size_t>(
        std::clamp<uint64_t>(MaxOpenFiles() / 4, 1, std::max<size_t>(1, limits.max_connections)));
  }

  uint64_t Send(Call call, OnAnswer on_answer);
  void Cancel(uint64_t id);
  void Stop();

  size_t in_flight() const { return in_flight_; }
  size_t connections() const { return connections_.size(); }

 private:
  using ConnectionPtr = std::shared_ptr<ClientConnection>;

  void OnFinished(ClientConnection& connection, std::unique_ptr<Work> work, Outcome outcome,
                  bool stale) override;
  void OnIdleEnded(ClientConnection& connection) override;

  // Starts as many waiting calls as there are connections for.
  void Dispatch(base::TimePoint now);
  ClientConnection* TakeIdle();
  void Forget(ClientConnection& connection);
  // Removes a call; null when it is gone.
  std::unique_ptr<Work> Take(uint64_t id);
  void Deliver(Work& work, Outcome outcome);
  bool IsUnread(uint64_t id) const;
  void FailLater(std::unique_ptr<Work> work, Failure failure, std::string message,
                 bool unread = false);
  void SweepIn(base::TimePoint now, base::Duration time);
  void Sweep();

  ClientConnection::Setup setup_;
  bool stopped_ = false;
  uint64_t last_id_ = 0;
  size_t in_flight_ = 0;
  std::map<uint64_t, std::unique_ptr<Work>> waiting_;  // in order of their ids: first come first
  std::unordered_map<uint64_t, ClientConnection*> active_;
  std::unordered_map<ClientConnection*, ConnectionPtr> connections_;
  std::vector<ClientConnection*> idle_;  // the last used one last
  uint64_t opened_ = 0;                  // connections so far
  uint64_t answered_ = 0;                // the highest number of one that carried an answer
  base::TimePoint answered_at_{};        // when the last answer came, on any
  base::Timer sweep_;
  base::TimePoint sweep_at_;
};

uint64_t Client::Core::Send(Call call, OnAnswer on_answer) {
  auto work = std::make_unique<Work>();
  const uint64_t id = work->id = ++last_id_;
  ++in_flight_;
  work->call = std::move(call);
  work->on_answer = std::move(on_answer);
  const base::TimePoint now = setup_.loop.Now();
  work->deadline = setup_.loop.AwakeAt(now) + work->call.timeout;
  if (std::string wrong = WhatIsWrong(work->call); !wrong.empty()) {
    FailLater(std::move(work), Failure::kProtocol, std::move(wrong));
    return id;
  }
  SweepIn(now, work->call.timeout);
  waiting_.emplace_hint(waiting_.end(), id, std::move(work));
  Dispatch(now);
  return id;
}

void Client::Core::Dispatch(base::TimePoint now) {
  while (!waiting_.empty()) {
    const auto first = waiting_.begin();
    // The retry needs a new connection: other kept ones may have ended, too.
    ClientConnection* connection = first->second->retried ? nullptr : TakeIdle();
    const bool fresh = connection == nullptr;
    if (fresh && connections_.size() >= setup_.limits.max_connections) {
      if (!first->second->retried || idle_.empty()) return;
      ClientConnection& oldest = *idle_.front();
      oldest.Close();
      Forget(oldest);
    }
    if (fresh) {
      auto opened = std::make_shared<ClientConnection>(setup_, *this);
      connection = opened.get();
      connection->number = ++opened_;
      connections_.emplace(connection, std::move(opened));
    }
    std::unique_ptr<Work> work = std::move(first->second);
    work->started = now;
    active_.emplace(work->id, connection);
    waiting_.erase(first);
    if (fresh)
      connection->Open(std::move(work));
    else
      connection->Send(std::move(work));
  }
}

ClientConnection* Client::Core::TakeIdle() {
  while (!idle_.empty()) {
    ClientConnection* last = idle_.back();
    if (last->Usable()) {
      idle_.pop_back();
      return last;
    }
    last->Close();
    Forget(*last);
  }
  return nullptr;
}

void Client::Core::Forget(ClientConnection& connection) {
  idle_.erase(std::remove(idle_.begin(), idle_.end(), &connection), idle_.end());
  connections_.erase(&connection);
}

void Client::Core::OnFinished(ClientConnection& connection, std::unique_ptr<Work> work,
                              Outcome outcome, bool stale) {
  const auto self = shared_from_this();
  const base::TimePoint now = setup_.loop.Now();
  active_.erase(work->id);
  if (outcome) {
    answered_ = std::max(answered_, connection.number);
    answered_at_ = now;
  }
  if (connection.closed()) {
    Forget(connection);
  } else {
    connection.idle_until = now + setup_.limits.idle;
    idle_.push_back(&connection);
    SweepIn(now, setup_.limits.idle);
  }
  const bool again = stale && !work->retried;
  if (again) {
    work->retried = true;
    const uint64_t id = work->id;
    waiting_.emplace(id, std::move(work));
  }
  Dispatch(now);
  // Last, as it may send, cancel, or destroy the client.
  // NOLINTNEXTLINE(bugprone-use-after-move): moved only when it goes again
  if (!again) Deliver(*work, std::move(outcome));
}

void Client::Core::OnIdleEnded(ClientConnection& connection) { Forget(connection); }

void Client::Core::Deliver(Work& work, Outcome outcome) {
  --in_flight_;
  if (work.on_answer) work.on_answer(std::move(outcome));
}

// Connections are accepted in the order in which they were opened.
bool Client::Core::IsUnread(uint64_t id) const {
  const auto active = active_.find(id);
  if (active == active_.end()) return true;
  const ClientConnection& connection = *active->second;
  return !connection.answering() && connection.number > answered_ &&
         answered_at_ > connection.work()->started;
}

void Client::Core::FailLater(std::unique_ptr<Work> work, Failure failure, std::string message,
                             bool unread) {
  CallError error{failure, std::move(message), work->sent, unread};
  setup_.loop.Post([weak = weak_from_this(), work = std::shared_ptr<Work>(std::move(work)),
                    error = std::move(error)] {
    const auto self = weak.lock();
    if (self && !self->stopped_) self->Deliver(*work, tl::unexpected<CallError>(error));
  });
}

std::unique_ptr<Work> Client::Core::Take(uint64_t id) {
  if (const auto waiting = waiting_.find(id); waiting != waiting_.end()) {
    std::unique_ptr<Work> work = std::move(waiting->second);
    waiting_.erase(waiting);
    return work;
  }
  const auto active = active_.find(id);
  if (active == active_.end()) return nullptr;
  ClientConnection& connection = *active->second;
  std::unique_ptr<Work> work = connection.Close();
  active_.erase(active);
  Forget(connection);
  return work;
}

void Client::Core::Cancel(uint64_t id) {
  auto work = Take(id);
  if (!work) return;
  FailLater(std::move(work), Failure::kCancelled, "the call was cancelled");
  Dispatch(setup_.loop.Now());
}

void Client::Core::SweepIn(base::TimePoint now, base::Duration time) {
  // AwakeTime has to be asked regularly while calls are in flight.
  if (in_flight_ > 0) time = std::min<base::Duration>(time, base::AwakeTime::kAskEvery);
  const base::TimePoint due = now + time;
  if (sweep_.armed() && sweep_at_ <= due) return;
  sweep_at_ = due;
  sweep_ = setup_.loop.After(time, [this] { Sweep(); });
}

void Client::Core::Sweep() {
  const base::TimePoint now = setup_.loop.Now();
  const base::TimePoint awake = setup_.loop.AwakeAt(now);
  base::Duration next = base::Duration::max();
  std::vector<uint64_t> late;
  const auto look = [&](const Work& work) {
    if (work.deadline <= awake)
      late.push_back(work.id);
    else
      next = std::min<base::Duration>(next, work.deadline - awake);
  };
  for (const auto& [id, work] : waiting_) look(*work);
  for (const auto& [id, connection] : active_) look(*connection->work());
  for (const uint64_t id : late) {
    const bool unread = IsUnread(id);
    auto work = Take(id);
    const std::string message =
        "no whole answer within " + std::to_string(work->call.timeout.count()) + " ms";
    FailLater(std::move(work), Failure::kTimeout, message, unread);
  }
  while (!idle_.empty() && idle_.front()->idle_until <= now) {
    ClientConnection& oldest = *idle_.front();
    oldest.Close();
    Forget(oldest);
  }
  if (!idle_.empty()) next = std::min<base::Duration>(next, idle_.front()->idle_until - now);
  if (next != base::Duration::max()) SweepIn(now, std::max<base::Duration>(next, kSweepAtLeast));
  Dispatch(now);
}

void Client::Core::Stop() {
  stopped_ = true;
  sweep_.Cancel();
  idle_.clear();
  active_.clear();
  // Destroying the callbacks may still use this client.
  const auto connections = std::move(connections_);
  const auto waiting = std::move(waiting_);
  connections_.clear();
  waiting_.clear();
  in_flight_ = 0;
  for (const auto& [key, connection] : connections) connection->Close();
}

Client::Client(base::Loop& loop, Endpoint endpoint, ClientLimits limits)
    : core_(std::make_shared<Core>(loop, std::move(endpoint), limits)) {}

Client::~Client() { core_->Stop(); }

uint64_t Client::Send(Call call, OnAnswer on_answer) {
  return core_->Send(std::move(call), std::move(on_answer));
}
void Client::Cancel(uint64_t id) { core_->Cancel(id); }
size_t Client::in_flight() const { return core_->in_flight(); }
size_t Client::connections() const { return core_->connections(); }

}  // namespace outrigger::http
