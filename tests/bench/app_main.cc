// The app of the delivery benchmark: takes events by HTTP, answers 200 at once or after a while.
//
//   bench_app --events N [--delay-us D] [--hot KEY]
//
// Prints its port, then a line when the first event came, then, when N events of other keys than
// KEY were answered, their rate. Runs until its standard input ends.
#include <unistd.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "arguments.h"
#include "base/loop.h"
#include "http/server.h"

namespace outrigger::bench {
namespace {

class App {
 public:
  App(base::Loop& loop, uint64_t events, base::Duration delay, std::string hot)
      : loop_(loop), events_(events), delay_(delay), hot_(std::move(hot)) {}

  void OnRequest(const std::shared_ptr<http::Request>& request) {
    if (!std::exchange(started_, true)) {
      first_ = loop_.Now();
      std::cout << "first" << std::endl;
    }
    const bool hot = !hot_.empty() && request->head().Find("outrigger-key") == hot_;
    if (delay_ == base::Duration::zero()) return Answer(*request, hot);
    const uint64_t id = ++last_;
    timers_.emplace(id, loop_.After(delay_, [this, request, hot, id] {
      Answer(*request, hot);
      timers_.erase(id);
    }));
  }

 private:
  void Answer(http::Request& request, bool hot) {
    request.Answer({200, "text/plain", "", {}, false});
    ++(hot ? hot_count_ : count_);
    if (hot || count_ != events_) return;
    const double seconds = std::chrono::duration<double>(loop_.Now() - first_).count();
    std::cout << nlohmann::json{{"events_per_second", static_cast<double>(events_) / seconds},
                                {"seconds", seconds},
                                {"hot", hot_count_}}
              << std::endl;
  }

  base::Loop& loop_;
  const uint64_t events_;
  const base::Duration delay_;
  const std::string hot_;
  uint64_t count_ = 0, hot_count_ = 0, last_ = 0;
  bool started_ = false;
  base::TimePoint first_;
  std::map<uint64_t, base::Timer> timers_;
};

int Main(int argc, char** argv) {
  Arguments arguments(argc - 1, argv + 1, {});
  const uint64_t events = arguments.Count("events", 100'000);
  const std::chrono::microseconds delay(arguments.Count("delay-us", 0));
  base::Loop loop;
  App app(loop, events, delay, arguments.Text("hot"));
  arguments.RefuseUnknown();
  http::Handler handler;
  handler.on_head = [](const auto&) { return http::Plan{}; };
  handler.on_request = [&](const auto& request) { app.OnRequest(request); };
  handler.on_answered = [](std::string_view, int) {};
  http::Server server(loop, {}, handler);
  const auto port = server.ListenTcp("127.0.0.1:0");
  if (!port) throw std::runtime_error(port.error().message);
  std::cout << *port << std::endl;
  const auto end = loop.WatchReadable(STDIN_FILENO, [&] { loop.Stop(); });
  loop.Run();
  return 0;
}

}  // namespace
}  // namespace outrigger::bench

int main(int argc, char** argv) {
  try {
    return outrigger::bench::Main(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 2;
  }
}
