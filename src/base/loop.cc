#include "base/loop.h"

#include <pthread.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <future>
#include <map>

namespace outrigger::base {

// Timers of a loop in order of their due time. One steady_timer wakes the loop for the earliest.
struct Loop::Timers {
  using Entries = std::multimap<TimePoint, std::shared_ptr<Timer::Entry>>;

  explicit Timers(boost::asio::io_context& context) : alarm(context) {}
  ~Timers();
  // Disarms it; its call lives as long as the returned value.
  std::shared_ptr<Timer::Entry> Take(Entries::iterator at);

  Entries entries;
  uint64_t armed = 0;  // how many ever were
  boost::asio::steady_timer alarm;
  TimePoint alarm_at = TimePoint::max();
};

struct Timer::Entry {
  std::function<void()> call;
  Loop::Timers* timers = nullptr;  // null: fired, cancelled, or the loop is gone
  Loop::Timers::Entries::iterator at;
  uint64_t number = 0;
};

// A call may own timers itself, so no call is destroyed while the list is being changed.
std::shared_ptr<Timer::Entry> Loop::Timers::Take(Entries::iterator at) {
  std::shared_ptr<Timer::Entry> entry = std::move(at->second);
  entries.erase(at);
  entry->timers = nullptr;
  return entry;
}

Loop::Timers::~Timers() {
  while (!entries.empty()) Take(entries.begin());
}

void Timer::Cancel() {
  const auto entry = std::move(entry_);
  if (entry && entry->timers) entry->timers->Take(entry->at);
}

bool Timer::armed() const { return entry_ && entry_->timers; }

Loop::Loop(Clock clock) : clock_(std::move(clock)), timers_(std::make_unique<Timers>(context_)) {}

Loop::~Loop() = default;

void Loop::Run() {
  {
    const auto work = boost::asio::make_work_guard(context_);
    while (!stopped_.load()) context_.run();
  }
  // The stop is consumed: a later Run continues where this one ended. Not before the end of `work`,
  // which stops the context again where it was all that there was.
  context_.restart();
  stopped_.store(false);
}

std::thread Loop::RunOnThread(const char* name) {
  return std::thread([this, name] {
    pthread_setname_np(pthread_self(), name);
    Run();
  });
}

size_t Loop::RunReady() {
  context_.restart();
  FireDue();
  return context_.poll();
}

void Loop::Stop() {
  stopped_.store(true);
  context_.stop();
}

void Loop::Post(std::function<void()> call) { boost::asio::post(context_, std::move(call)); }

void Loop::Call(const std::function<void()>& call) {
  // Shared, since the thread of the loop may still use it when the caller returns.
  const auto task = std::make_shared<std::packaged_task<void()>>(call);
  Post([task] { (*task)(); });
  task->get_future().get();
}

Timer Loop::After(Duration delay, std::function<void()> call) {
  auto entry = std::make_shared<Timer::Entry>();
  const TimePoint due = Now() + std::chrono::duration_cast<TimePoint::duration>(delay);
  entry->call = std::move(call);
  entry->timers = timers_.get();
  entry->number = ++timers_->armed;
  entry->at = timers_->entries.emplace(due, entry);
  Arm();
  return Timer(std::move(entry));
}

void Loop::FireDue() {
  const TimePoint now = Now();
  auto& entries = timers_->entries;
  // What a call arms is for the next turn, or calls that arm each other would keep sockets waiting.
  // It is due no earlier than what was armed before, so it comes last.
  const uint64_t armed = timers_->armed;
  while (!entries.empty() && entries.begin()->first <= now &&
         entries.begin()->second->number <= armed) {
    // Not kept by its Timer: what a fired call holds is destroyed with it.
    const auto call = std::move(timers_->Take(entries.begin())->call);
    call();
  }
  Arm();
}

void Loop::Arm() {
  auto& entries = timers_->entries;
  if (clock_.manual) return;  // Advance and RunReady fire
  if (entries.empty()) {
    // No alarm remains, or an idle loop would wake up for nothing.
    timers_->alarm_at = TimePoint::max();
    timers_->alarm.cancel();
    return;
  }
  const TimePoint due = entries.begin()->first;
  if (due == timers_->alarm_at) return;
  timers_->alarm_at = due;
  timers_->alarm.expires_at(due);
  timers_->alarm.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    timers_->alarm_at = TimePoint::max();
    FireDue();
  });
}

void Loop::Advance(ManualClock& clock, Duration by) {
  const TimePoint end = Now() + std::chrono::duration_cast<TimePoint::duration>(by);
  RunReady();
  while (!timers_->entries.empty() && timers_->entries.begin()->first <= end) {
    const TimePoint due = timers_->entries.begin()->first;
    if (due > Now()) clock.Advance(due - Now());
    RunReady();
  }
  if (end > Now()) clock.Advance(end - Now());
  RunReady();
}

std::unique_ptr<Loop::Watch> Loop::WatchReadable(int descriptor,
                                                 std::function<void()> on_readable) {
  return std::make_unique<Watch>(*this, descriptor, std::move(on_readable));
}

struct Loop::Watch::State : std::enable_shared_from_this<State> {
  State(boost::asio::io_context& context, int fd, std::function<void()> call)
      : descriptor(context, fd), on_readable(std::move(call)) {}

  void Wait() {
    descriptor.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                          [self = shared_from_this()](const boost::system::error_code& error) {
                            if (error || !self->descriptor.is_open()) return;
                            self->Wait();
                            self->on_readable();
                          });
  }

  boost::asio::posix::stream_descriptor descriptor;
  std::function<void()> on_readable;
};

Loop::Watch::Watch(Loop& loop, int descriptor, std::function<void()> on_readable)
    : state_(std::make_shared<State>(loop.context(), descriptor, std::move(on_readable))) {
  state_->Wait();
}

Loop::Watch::~Watch() {
  // The descriptor belongs to the caller: it is released, never closed.
  if (state_->descriptor.is_open()) state_->descriptor.release();
}

}  // namespace outrigger::base
