#include "app/run.h"

#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <iostream>

#include "app/sidecar.h"
#include "app/unexpected.h"
#include "config/load.h"
#include "config/watch.h"
#include "telemetry/log.h"

namespace outrigger::app {
namespace {

using telemetry::Level;
using telemetry::Log;

sigset_t Set(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  return set;
}

const sigset_t kStop = Set({SIGTERM, SIGINT});
const sigset_t kReload = Set({SIGHUP});

// What a signal does while there is nothing to drain yet, or no time for it. A handler is needed
// because the default action does not apply to process 1, as in a container.
void EndAtOnce(int signal) { std::_Exit(128 + signal); }

bool StopAsked() {
  sigset_t pending;
  sigpending(&pending);
  return sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1;
}

// The usual soft limit allows http.maxConnections and nothing more, but brokers and probes need
// descriptors, too. (It is low for the sake of programs that use select.)
void RaiseOpenFiles() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// The files that a config names and that are read with it.
std::vector<std::string> ReadBeside(const config::Loaded& loaded) {
  const config::Config& config = loaded.config;
  std::vector<std::string> paths = {config.http.token_file};
  for (const auto& route : config.routes)
    if (route.schemas) paths.push_back(route.schemas->value);
  for (const auto& file : config.kafka.security.files()) paths.push_back(file);
  std::erase(paths, std::string());
  return paths;
}

// The control thread: waits for signals and for changes of the config. Made before the config is
// read for the first time, so that no change of it is missed.
class Control {
 public:
  explicit Control(std::string file) : file_(std::move(file)) {
    if (file_.empty()) return;
    watch_ = std::make_unique<config::Watch>(
        loop_, file_, [this] { Reload(); }, [this](const std::string& trouble) { Tell(trouble); });
  }

  config::Loaded Load() {
    config::Loaded loaded = config::Load(file_, config::ProcessEnvironment());
    // The files of a refused config are watched, too: the correction may be made there.
    if (watch_) watch_->Follow(ReadBeside(loaded));
    return loaded;
  }

  // Until SIGTERM or SIGINT.
  void Run(Sidecar& sidecar) {
    sidecar_ = &sidecar;
    Tell(trouble_);
    const sigset_t handled = Set({SIGTERM, SIGINT, SIGHUP});
    const int signals = signalfd(-1, &handled, SFD_NONBLOCK | SFD_CLOEXEC);
    {
      const auto readable = loop_.WatchReadable(signals, [this, signals] { OnSignal(signals); });
      loop_.Run();
    }
    close(signals);
  }

 private:
  void OnSignal(int signals) {
    signalfd_siginfo info;
    while (read(signals, &info, sizeof info) == sizeof info) {
      if (info.ssi_signo == SIGHUP) {
        // SIGHUP reloads even when nothing that is watched has changed.
        if (watch_ && !watch_->Look()) Reload();
        continue;
      }
      Log(Level::kInfo, "draining; another signal ends at once",
          {{"signal", strsignal(static_cast<int>(info.ssi_signo))}});
      loop_.Stop();
    }
  }

  void Reload() { sidecar_->Reload(Load()); }

  void Tell(const std::string& trouble) {
    trouble_ = trouble;
    if (sidecar_ != nullptr) sidecar_->SetWatchTrouble(trouble_);
  }

  const std::string file_;
  base::Loop loop_;
  std::string trouble_;
  std::unique_ptr<config::Watch> watch_;
  Sidecar* sidecar_ = nullptr;
};

}  // namespace

int Run(const std::string& config_file) {
  EndOnUnexpectedException();
  std::signal(SIGPIPE, SIG_IGN);
  RaiseOpenFiles();
  for (const int stop : {SIGTERM, SIGINT}) std::signal(stop, EndAtOnce);
  pthread_sigmask(SIG_BLOCK, &kReload, nullptr);
  Control control(config_file);
  config::Loaded loaded = control.Load();
  for (const auto& problem : loaded.problems) std::cerr << problem.text() << "\n";
  if (!loaded.ok()) {
    std::cerr << "outrigger: the config has errors; the sidecar does not start\n";
    return 1;
  }
  // From here on a stop waits for the control thread; every other thread inherits this.
  pthread_sigmask(SIG_BLOCK, &kStop, nullptr);
  telemetry::StartLog(loaded.config.log.level, loaded.config.log.format);
  auto sidecar = Sidecar::Start(std::move(loaded.config), StopAsked);
  if (!sidecar) {
    const base::Error& error = sidecar.error();
    telemetry::StopLog();
    if (StopAsked()) return 0;
    pthread_sigmask(SIG_UNBLOCK, &kStop, nullptr);
    std::cerr << "outrigger: " << error.message << "\n";
    if (!error.hint.empty()) std::cerr << "  " << error.hint << "\n";
    return 1;
  }
  control.Run(**sidecar);
  // A second signal ends the process at once.
  pthread_sigmask(SIG_UNBLOCK, &kStop, nullptr);
  (*sidecar)->Shutdown();
  Log(Level::kInfo, "drained");
  telemetry::StopLog();
  // Nothing is left to do, and destroying the parts could hang: clients of Kafka wait for brokers
  // that do not answer, and the log for a reader.
  std::_Exit(0);
}

}  // namespace outrigger::app
