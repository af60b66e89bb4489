#include "app/sidecar.h"

#include <malloc.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "app/check.h"
#include "app/memory.h"
#include "config/diff.h"
#include "telemetry/log.h"

namespace outrigger::app {
namespace {

using telemetry::Level;
using telemetry::Log;
using telemetry::Status;

// REQUIRE_KAFKA promises an exit within 10 s, and a client that looks for a broker ends only with
// its last request, a second later.
constexpr auto kRequiredKafkaWait = std::chrono::seconds(7);
// The share of shutdown.budget for waiting until the app is quiet and for flushing to Kafka.
constexpr std::chrono::milliseconds kPublishShare{5000};

base::Result<std::string> ReadToken(const std::string& file) {
  if (file.empty()) return std::string();
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  std::string token = text.str();
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.pop_back();
  if (!in || token.empty()) {
    return base::Fail(base::Error::Invalid("http.tokenFile: " + file + " can't be read or is empty",
                                           "it must hold the token on one line"));
  }
  return token;
}

// Topics of subscriptions exist at once; otherwise a trial would wait until they are found.
void CreateTopics(const config::Config& config, kafka::EmbeddedBroker& broker) {
  constexpr int kPartitions = 4;
  std::set<std::string> topics;  // several subscriptions may name one
  for (const auto& subscription : config.subscriptions)
    for (const auto& topic : subscription.topics)
      if (!topic.value.starts_with('^')) topics.insert(topic.value);
  for (const auto& topic : topics) broker.CreateTopic(topic, kPartitions);
}

std::string Joined(const std::vector<std::string>& parts) {
  std::string joined;
  for (const auto& part : parts) joined += (joined.empty() ? "" : ", ") + part;
  return joined;
}

// What a reload does, for the log. Routes are told by their number.
std::string EffectsOf(const config::Config& now, const config::Config& next) {
  constexpr size_t kMost = 20;
  const auto differences = config::Diff(now, next, false);
  std::string text;
  for (size_t i = 0; i < std::min(differences.size(), kMost); ++i)
    text += (i == 0 ? "" : "; ") + differences[i].path + ": " + differences[i].effect;
  if (differences.size() > kMost)
    text += "; and " + std::to_string(differences.size() - kMost) + " more";
  return text;
}

// What needs clients and subscriptions to be made for trial.
bool ChangesClients(const config::Config& now, const config::Config& next) {
  return !now.kafka.SameClients(next.kafka) || now.subscriptions != next.subscriptions;
}

}  // namespace

Sidecar::Sidecar(config::Config config, const base::MemoryBudget& budget)
    : config_(std::move(config)), budget_(budget), conditions_(base::Clock::System()) {
  conditions_.Set("Ready", Status::kFalse, "Starting", "the ports are not open yet");
}

Sidecar::~Sidecar() = default;

base::Result<std::unique_ptr<Sidecar>> Sidecar::Start(config::Config config,
                                                      const std::function<bool()>& give_up) {
  const ChosenBudget chosen = ChooseBudget(config);
  if (!chosen.warning.empty()) Log(Level::kWarn, chosen.warning);
  std::unique_ptr<Sidecar> sidecar(new Sidecar(std::move(config), chosen.budget));
  if (auto built = sidecar->Build(); !built) return base::Fail(built.error());
  if (auto open = sidecar->Open(give_up); !open) return base::Fail(open.error());
  // Building the routes takes memory that using them does not.
  malloc_trim(0);
  return sidecar;
}

base::Result<void> Sidecar::Build() {
  std::vector<config::Problem> problems;
  routes_ = publish::Routes::Build(config_, problems);
  for (const auto& problem : problems)
    if (problem.severity == config::Problem::Severity::kError)
      return base::Fail(base::Error::Invalid(problem.text()));
  if (config_.kafka.enabled && config_.kafka.embedded()) {
    auto broker = kafka::EmbeddedBroker::Start();
    if (!broker) return base::Fail(broker.error());
    embedded_ = std::move(*broker);
    Log(Level::kWarn,
        "the embedded broker is for trying out: its events are in memory and are lost with this "
        "process",
        {{"bootstrap", embedded_->bootstrap()}});
  }
  const config::Config effective = Effective();
  auto flow = PublishFlow::Create(effective, budget_, memory_use_, metrics_, conditions_);
  if (!flow) return base::Fail(flow.error());
  flow_ = std::move(*flow);
  flow_->Start();
  if (!config_.kafka.enabled) {
    for (const auto& subscription : config_.subscriptions)
      conditions_.Set("Delivering/" + subscription.name, Status::kFalse, "KafkaDisabled",
                      "KAFKA_ENABLED=false (kafka.enabled): nothing is consumed");
  }
  return PrepareDelivery(effective);
}

// The config with the embedded broker's address, where that is asked for.
config::Config Sidecar::Effective() const {
  config::Config effective = config_;
  if (embedded_) effective.kafka.brokers = {embedded_->bootstrap()};
  return effective;
}

base::Result<void> Sidecar::PrepareDelivery(const config::Config& effective) {
  if (deliver_ || !effective.kafka.enabled || effective.subscriptions.empty()) return {};
  if (embedded_) CreateTopics(effective, *embedded_);
  auto deliver = DeliverFlow::Create(effective, budget_, memory_use_, metrics_, conditions_);
  if (!deliver) return base::Fail(deliver.error());
  deliver_ = std::move(*deliver);
  return {};
}

base::Result<void> Sidecar::Open(const std::function<bool()>& give_up) {
  auto token = ReadToken(config_.http.token_file);
  if (!token) return base::Fail(token.error());
  flow_->Apply(Effective(), budget_, std::move(*token), routes_);
  if (config_.kafka.required && config_.kafka.enabled) {
    if (const std::string why = flow_->WaitForKafka(kRequiredKafkaWait, give_up); !why.empty()) {
      return base::Fail({base::Code::kUnavailable,
                         "kafka.required is set, and Kafka can't be reached: " + why,
                         "check kafka.brokers (KAFKA_BROKERS) and the network, or start without "
                         "REQUIRE_KAFKA",
                         true});
    }
  }
  auto port = flow_->Listen(config_.http);
  if (!port) return base::Fail(port.error());
  port_ = *port;
  ops::OpsSources sources{
      .metrics = metrics_,
      .conditions = conditions_,
      .kafka_enabled = [this] { return flow_->kafka_enabled(); },
      .kafka_connected = [this] { return flow_->kafka_connected(); },
      .memory = [this] { return memory_use_.Json(); },
      .loops = {{"publish", &flow_->loop()}},
  };
  if (deliver_) sources.loops.emplace_back("deliver", &deliver_->loop());
  auto ops = ops::OpsServer::Start(config_.ops.listen, std::move(sources));
  if (!ops) return base::Fail(ops.error());
  ops_ = std::move(*ops);
  // Not earlier: a handler may publish through this sidecar.
  if (deliver_) deliver_->Start();
  conditions_.SetGeneration(config_.generation);
  ShowConfig(Status::kTrue, "Applied",
             config_.file.empty() ? "the built-in defaults" : config_.file);
  conditions_.Set("Ready", Status::kTrue, "Listening",
                  "publishing on port " + std::to_string(port_));
  Log(Level::kInfo, "listening",
      {{"http", std::to_string(port_)},
       {"ops", std::to_string(ops_->port())},
       {"config", config_.file.empty() ? "defaults" : config_.file},
       {"routes", std::to_string(routes_->rules().size())},
       {"generation", config_.generation}});
  return {};
}

void Sidecar::Refuse(const std::vector<config::Problem>& problems) {
  metrics_.ConfigReloaded(false);
  size_t errors = 0;
  std::string first;
  for (const auto& problem : problems) {
    if (problem.severity != config::Problem::Severity::kError) continue;
    if (++errors == 1) first = problem.text();
    Log(Level::kError, "the new config is refused; the previous one stays in force",
        {{"problem", problem.text()}});
  }
  if (errors > 1) first += " (and " + std::to_string(errors - 1) + " more)";
  ShowConfig(Status::kFalse, "Refused", first);
}

void Sidecar::ShowConfig(Status status, const std::string& reason, const std::string& message) {
  config_applied_ = {"ConfigApplied", status, reason, message, {}};
  conditions_.Set("ConfigApplied", status, reason,
                  watch_trouble_.empty() ? message : message + "; " + watch_trouble_);
}

void Sidecar::SetWatchTrouble(const std::string& trouble) {
  if (trouble == watch_trouble_) return;
  watch_trouble_ = trouble;
  Log(trouble.empty() ? Level::kInfo : Level::kWarn,
      trouble.empty() ? "changes of the config are noticed at once again" : trouble);
  ShowConfig(config_applied_.status, config_applied_.reason, config_applied_.message);
}

void Sidecar::Reload(config::Loaded loaded) {
  if (!loaded.ok()) return Refuse(loaded.problems);
  auto routes = publish::Routes::Build(loaded.config, loaded.problems);
  auto token = ReadToken(loaded.config.http.token_file);
  if (!token)
    loaded.problems.push_back(
        {{loaded.config.file, 0, 0}, "http.tokenFile", token.error().message, {}});
  if (ChangesClients(config_, loaded.config))
    for (auto& problem : CheckClients(loaded)) loaded.problems.push_back(std::move(problem));
  if (config_.spool.path != loaded.config.spool.path)
    if (auto unusable = CheckSpoolPath(loaded.config))
      loaded.problems.push_back(std::move(*unusable));
  if (!loaded.ok()) return Refuse(loaded.problems);
  const std::string restart = Joined(config::AtNextStart(config_, loaded.config));
  const std::string effects = EffectsOf(config_, loaded.config);
  config::KeepUntilNextStart(config_, loaded.config);
  routes_ = std::move(routes);
  config_ = std::move(loaded.config);
  Apply(std::move(*token));
  metrics_.ConfigReloaded(true);
  conditions_.SetGeneration(config_.generation);
  ShowConfig(Status::kTrue, restart.empty() ? "Applied" : "NeedsRestart",
             restart.empty() ? config_.file : "in force after the next start: " + restart);
  Log(restart.empty() ? Level::kInfo : Level::kWarn, "the new config is applied",
      {{"generation", config_.generation},
       {"routes", std::to_string(routes_->rules().size())},
       {"changes", effects},
       {"at next start", restart}});
  malloc_trim(0);
}

void Sidecar::Apply(std::string token) {
  telemetry::StartLog(config_.log.level, config_.log.format);
  budget_ = ChooseBudget(config_).budget;
  memory_use_.SetBudget(budget_);
  const config::Config effective = Effective();
  flow_->Apply(effective, budget_, std::move(token), routes_);
  if (deliver_) {
    if (embedded_) CreateTopics(effective, *embedded_);
    return deliver_->Apply(effective, budget_);
  }
  if (auto prepared = PrepareDelivery(effective); !prepared)
    return Log(Level::kError, "delivery can't begin", {{"error", prepared.error().message}});
  if (!deliver_) return;
  deliver_->Start();
  ops_->Watch("deliver", deliver_->loop());
}

void Sidecar::Shutdown() {
  conditions_.Set("Ready", Status::kFalse, telemetry::kShuttingDown,
                  "events in flight are finished; the app may publish until it is quiet");
  // Delivery first: with its last events the app may still publish.
  const auto began = std::chrono::steady_clock::now();
  if (deliver_)
    deliver_->Shutdown(config_.shutdown_budget -
                       std::min(kPublishShare, config_.shutdown_budget / 4));
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - began);
  flow_->Shutdown(config_.shutdown_budget - took);
}

}  // namespace outrigger::app
