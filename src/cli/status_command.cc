#include "cli/status_command.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <optional>
#include <ostream>
#include <thread>

#include "cli/answer.h"
#include "cli/options.h"
#include "cli/scrape.h"
#include "cli/status_text.h"
#include "outbound/sidecar_client.h"

namespace outrigger::cli {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

constexpr char kStatusMore[] =
    "The conditions say what is wrong and why; what is counted is since the start, and with\n"
    "--watch a second.\n\n"
    "Examples:\n"
    "  outrigger status\n"
    "  outrigger status --watch\n"
    "  outrigger status --url http://10.0.0.7:8801 -o json | jq '.groups[].lag'\n"
    "  kubectl exec POD -c outrigger -- outrigger status\n\n"
    "Exit codes: 0 success; 1 no sidecar answers.";
constexpr char kClearScreen[] = "\x1b[H\x1b[2J";

struct Look {
  Json status;
  Scrape scrape;
  Clock::time_point at;
};

base::Result<std::string> Get(const outbound::SidecarAddress& sidecar, const char* path) {
  auto answer = outbound::Get(sidecar, path, {});
  if (!answer) return base::Fail(answer.error());
  if (answer->status != 200)
    return base::Fail({base::Code::kUnavailable,
                       sidecar.url + path + " answers " + std::to_string(answer->status),
                       "--url is the address of the ops port, ops.listen", false});
  return std::move(answer->body);
}

base::Result<Look> LookAt(const outbound::SidecarAddress& sidecar) {
  const auto status = Get(sidecar, "/status");
  if (!status) return base::Fail(status.error());
  const auto metrics = Get(sidecar, "/metrics");
  if (!metrics) return base::Fail(metrics.error());
  Json parsed = Json::parse(*status, nullptr, false);
  if (!parsed.is_object())
    return base::Fail({base::Code::kInvalid, sidecar.url + "/status is not a sidecar's",
                       "--url is the address of the ops port, ops.listen", false});
  return Look{std::move(parsed), Scrape(*metrics), Clock::now()};
}

}  // namespace

CLI::App* AddStatus(CLI::App& app, StatusOptions& options, std::string& output) {
  CLI::App* command = app.add_subcommand(
      "status", "Show what a running sidecar does, how far it is behind, and what is wrong.");
  command
      ->add_option("--url", options.url,
                   "Its ops port; else $OUTRIGGER_OPS_URL, else http://127.0.0.1:8801")
      ->type_name("URL");
  command->add_flag("--watch", options.watch, "Show it every two seconds, with rates");
  AddOutput(*command, output);
  command->footer(kStatusMore);
  return command;
}

int Status(const StatusOptions& options, bool as_json, Console& console) {
  outbound::SidecarAddress sidecar{"http://127.0.0.1:8801", {}};
  if (const auto url = console.environment("OUTRIGGER_OPS_URL")) sidecar.url = *url;
  if (!options.url.empty()) sidecar.url = options.url;
  const char* clear = options.watch && !as_json && isatty(STDOUT_FILENO) ? kClearScreen : "";
  for (std::optional<Look> before;;) {
    auto look = LookAt(sidecar);
    if (!look) {
      PrintError(look.error(), as_json, console);
      return 1;
    }
    Looks looks{.status = look->status, .now = look->scrape};
    if (before) {
      looks.before = &before->scrape;
      looks.seconds = std::chrono::duration<double>(look->at - before->at).count();
    }
    const auto now = base::WallTime::clock::now();
    const Json status = StatusOf(looks, now);
    console.out << clear << (as_json ? status.dump() + "\n" : StatusText(status, now))
                << std::flush;
    if (!options.watch || !console.out) return 0;
    before = std::move(*look);
    std::this_thread::sleep_for(options.every);
  }
}

}  // namespace outrigger::cli
