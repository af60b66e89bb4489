#include "ops/ops_server.h"

#include <atomic>
#include <thread>

#include "base/json_text.h"
#include "http/open_files.h"
#include "http/problem.h"
#include "http/server.h"
#include "telemetry/kafka_health.h"
#include "telemetry/log.h"

namespace outrigger::ops {
namespace {

// A loop that has not run for this time is stuck; a busy loop needs milliseconds.
constexpr auto kStuckAfter = std::chrono::seconds(2);
constexpr auto kBeat = std::chrono::milliseconds(500);

http::Limits OpsLimits() {
  http::Limits limits;
  limits.max_body = 4096;
  limits.max_connections = 64;
  limits.spare_files = http::SpareFiles() / 2;
  limits.prefix = "ops";
  return limits;
}

constexpr char kIndex[] =
    "Outrigger, ops port (read-only)\n\n"
    "/metrics       Prometheus metrics\n"
    "/healthz       200 while all event loops make progress\n"
    "/readyz        200 while the condition Ready is True\n"
    "/health/kafka  whether Kafka is enabled and connected\n"
    "/status        conditions, with reasons, and the memory budget\n";

}  // namespace

class OpsServer::Core {
 public:
  explicit Core(OpsSources sources);
  ~Core();

  base::Result<void> Listen(const std::string& address);
  void Watch(const std::string& name, base::Loop* loop);
  base::Loop& loop() { return loop_; }
  uint16_t port() const { return port_; }

 private:
  // The heartbeat of a watched loop.
  struct Pulse {
    std::string name;
    base::Loop* loop;
    std::shared_ptr<std::atomic<int64_t>> seen;
    std::shared_ptr<std::atomic<bool>> asked;
  };

  http::Plan OnHead(const std::shared_ptr<http::Request>& request);
  http::Response Answer(std::string_view path);
  http::Response Health();
  void Beat();

  OpsSources sources_;
  base::Loop loop_;
  http::Server server_;
  std::vector<Pulse> pulses_;
  base::Timer beat_;
  uint16_t port_ = 0;
  std::thread thread_;
};

OpsServer::Core::Core(OpsSources sources)
    : sources_(std::move(sources)),
      server_(loop_, OpsLimits(),
              {.on_head = [this](const auto& request) { return OnHead(request); },
               .on_request =
                   [this](const auto& request) { request->Answer(Answer(request->head().path)); },
               .on_answered = {}}) {
  for (const auto& [name, loop] : sources_.loops) Watch(name, loop);
}

void OpsServer::Core::Watch(const std::string& name, base::Loop* loop) {
  pulses_.push_back({name, loop,
                     std::make_shared<std::atomic<int64_t>>(loop_.Now().time_since_epoch().count()),
                     std::make_shared<std::atomic<bool>>(false)});
}

OpsServer::Core::~Core() {
  loop_.Stop();
  if (thread_.joinable()) thread_.join();
}

base::Result<void> OpsServer::Core::Listen(const std::string& address) {
  auto port = server_.ListenTcp(address);
  if (!port) return base::Fail(port.error());
  port_ = *port;
  Beat();
  thread_ = loop_.RunOnThread("ops");
  return {};
}

void OpsServer::Core::Beat() {
  beat_ = loop_.After(kBeat, [this] { Beat(); });
  for (const auto& pulse : pulses_) {
    if (pulse.asked->exchange(true)) continue;
    pulse.loop->Post([seen = pulse.seen, asked = pulse.asked, loop = pulse.loop] {
      seen->store(loop->Now().time_since_epoch().count());
      asked->store(false);
    });
  }
}

http::Plan OpsServer::Core::OnHead(const std::shared_ptr<http::Request>& request) {
  const http::Head& head = request->head();
  http::Plan plan;
  if (head.method != "GET" && head.method != "HEAD") {
    http::Problem problem;
    problem.status = 405;
    problem.detail = "the ops port is read-only: GET and HEAD";
    plan.refuse = problem.ToResponse();
    plan.refuse->headers.emplace_back("Allow", "GET, HEAD");
  }
  return plan;
}

http::Response OpsServer::Core::Answer(std::string_view path) {
  http::Response response;
  if (path == "/metrics") {
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = sources_.metrics.Text();
  } else if (path == "/healthz") {
    return Health();
  } else if (path == "/readyz") {
    const telemetry::Condition ready = sources_.conditions.Get("Ready");
    const bool yes = ready.status == telemetry::Status::kTrue;
    response.status = yes ? 200 : 503;
    response.content_type = "text/plain; charset=utf-8";
    response.body = yes ? "ready\n" : "not ready: " + ready.reason + ": " + ready.message + "\n";
  } else if (path == "/health/kafka") {
    response.body =
        telemetry::KafkaHealthJson(sources_.kafka_enabled(), sources_.kafka_connected());
  } else if (path == "/status") {
    response.body = sources_.conditions.Json();
    response.body.pop_back();  // its closing brace
    response.body += ",\"memory\":" + sources_.memory() + "}";
  } else if (path == "/") {
    response.content_type = "text/plain; charset=utf-8";
    response.body = kIndex;
  } else {
    http::Problem problem;
    problem.status = 404;
    problem.detail = "not found: " + base::Excerpt(path) + "; / lists what there is";
    return problem.ToResponse();
  }
  return response;
}

http::Response OpsServer::Core::Health() {
  http::Response response;
  response.content_type = "text/plain; charset=utf-8";
  response.body = "ok\n";
  // The loop of a drained flow has ended.
  if (sources_.conditions.Get("Ready").reason == telemetry::kShuttingDown) return response;
  for (const auto& pulse : pulses_) {
    const base::TimePoint seen{base::TimePoint::duration(pulse.seen->load())};
    if (loop_.Now() - seen < kStuckAfter) continue;
    response.status = 503;
    response.body = "the event loop of " + pulse.name + " is stuck\n";
  }
  return response;
}

OpsServer::OpsServer(std::unique_ptr<Core> core) : core_(std::move(core)) {}
OpsServer::~OpsServer() = default;

base::Result<std::unique_ptr<OpsServer>> OpsServer::Start(const std::string& listen,
                                                          OpsSources sources) {
  auto core = std::make_unique<Core>(std::move(sources));
  if (auto listening = core->Listen(listen); !listening) return base::Fail(listening.error());
  return std::unique_ptr<OpsServer>(new OpsServer(std::move(core)));
}

void OpsServer::Watch(const std::string& name, base::Loop& loop) {
  core_->loop().Call([&] { core_->Watch(name, &loop); });
}

uint16_t OpsServer::port() const { return core_->port(); }

}  // namespace outrigger::ops
