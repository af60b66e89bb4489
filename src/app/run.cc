#include "app/run.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <iostream>

#include "app/sidecar.h"
#include "config/load.h"
#include "config/watch.h"
#include "telemetry/log.h"

namespace outrigger::app {
namespace {

using telemetry::Level;
using telemetry::Log;

sigset_t Handled() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  return set;
}

// The control thread: waits for signals and for changes of the config.
class Control {
 public:
  Control(std::string file, Sidecar& sidecar) : file_(std::move(file)), sidecar_(sidecar) {
    const sigset_t handled = Handled();
    signals_ = signalfd(-1, &handled, SFD_NONBLOCK | SFD_CLOEXEC);
    readable_ = loop_.WatchReadable(signals_, [this] { OnSignal(); });
    WatchFiles();
  }
  ~Control() {
    readable_.reset();
    close(signals_);
  }

  void Run() { loop_.Run(); }

 private:
  void OnSignal() {
    signalfd_siginfo info;
    while (read(signals_, &info, sizeof info) == sizeof info) {
      if (info.ssi_signo == SIGHUP) {
        Reload();
        continue;
      }
      Log(Level::kInfo, "draining; another signal ends at once",
          {{"signal", strsignal(static_cast<int>(info.ssi_signo))}});
      loop_.Stop();
    }
  }

  void Reload() {
    if (file_.empty()) return;
    sidecar_.Reload(config::Load(file_, config::ProcessEnvironment()));
    WatchFiles();
  }

  void WatchFiles() {
    if (file_.empty()) return;
    watch_ = std::make_unique<config::Watch>(loop_, file_, sidecar_.watched_folders(), [this] {
      // Posted, since a reload replaces the watch that tells of it.
      loop_.Post([this] { Reload(); });
    });
  }

  std::string file_;
  Sidecar& sidecar_;
  base::Loop loop_;
  int signals_ = -1;
  std::unique_ptr<base::Loop::Watch> readable_;
  std::unique_ptr<config::Watch> watch_;
};

}  // namespace

void BlockSignals() {
  const sigset_t handled = Handled();
  pthread_sigmask(SIG_BLOCK, &handled, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

int Run(const std::string& config_file) {
  config::Loaded loaded = config::Load(config_file, config::ProcessEnvironment());
  for (const auto& problem : loaded.problems) std::cerr << problem.text() << "\n";
  if (!loaded.ok()) {
    std::cerr << "outrigger: the config has errors; nothing was started\n";
    return 1;
  }
  telemetry::StartLog(loaded.config.log.level, loaded.config.log.format);
  auto sidecar = Sidecar::Start(std::move(loaded.config));
  if (!sidecar) {
    const base::Error& error = sidecar.error();
    telemetry::StopLog();
    std::cerr << "outrigger: " << error.message << "\n";
    if (!error.hint.empty()) std::cerr << "  " << error.hint << "\n";
    return 1;
  }
  {
    Control control(config_file, **sidecar);
    control.Run();
  }
  // A second signal means it.
  const sigset_t handled = Handled();
  pthread_sigmask(SIG_UNBLOCK, &handled, nullptr);
  (*sidecar)->Shutdown();
  sidecar->reset();
  Log(Level::kInfo, "drained");
  telemetry::StopLog();
  return 0;
}

}  // namespace outrigger::app
