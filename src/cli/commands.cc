#include "cli/commands.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "base/nearest.h"
#include "cli/answer.h"
#include "cli/config_commands.h"
#include "cli/later_commands.h"
#include "cli/options.h"
#include "cli/publish_command.h"
#include "cli/spool_command.h"
#include "cli/status_command.h"
#include "config/values.h"

namespace outrigger::cli {
namespace {

constexpr char kDefaultFile[] = "/etc/outrigger/outrigger.yaml";
constexpr char kOverview[] =
    "Outrigger: a Kafka sidecar. The app speaks HTTP on loopback, Outrigger speaks Kafka.";
constexpr char kOverviewMore[] =
    "Example, without a Kafka:\n"
    "  KAFKA_BROKERS=embedded outrigger run\n"
    "  outrigger publish user.registered '{\"userId\":\"u-1\"}'\n\n"
    "Exit codes: 0 success; 1 failure; 2 usage error.\n"
    "`outrigger COMMAND --help` has examples of each command.";

constexpr char kRunMore[] =
    "The config is watched and applied when it changes. KAFKA_ENABLED, KAFKA_BROKERS,\n"
    "KAFKA_CLIENT_ID, KAFKA_GROUP_ID and REQUIRE_KAFKA override it. Logs go to standard error.\n"
    "SIGTERM and SIGINT drain, a second one exits at once; SIGHUP reloads the config.\n\n"
    "Examples:\n"
    "  outrigger run --config outrigger.yaml\n"
    "  KAFKA_BROKERS=embedded outrigger run      a broker inside the process, for trying out\n\n"
    "Exit codes: 0 drained; 1 could not start, with the reason.";
constexpr char kCheckMore[] =
    "Schemas, secret files and properties of librdkafka are checked, too; no broker is "
    "contacted.\n\n"
    "Examples:\n"
    "  outrigger check outrigger.yaml\n"
    "  kubectl get configmap shop -o jsonpath='{.data.outrigger\\.yaml}' | outrigger check -\n"
    "  outrigger check -o json outrigger.yaml    severity, file, line, column, path, message, "
    "hint\n\n"
    "Exit codes: 0 no error, though there may be warnings; 1 errors.";
constexpr char kDiffMore[] =
    "Compares what would be in force, defaults and environment included.\n\n"
    "Examples:\n"
    "  outrigger diff outrigger.yaml new.yaml\n"
    "  git show HEAD:outrigger.yaml | outrigger diff - outrigger.yaml\n"
    "  outrigger diff -o json OLD NEW    path, before, after, effect, atNextStart\n\n"
    "Exit codes: 0 compared; 1 one of them has errors.";
constexpr char kExplainMore[] =
    "Examples:\n"
    "  outrigger explain event.json --config outrigger.yaml\n"
    "  echo '{\"type\":\"user.registered\",\"data\":{}}' | outrigger explain -\n\n"
    "Exit codes: 0 it would be published; 1 it would not.";
constexpr char kSchemaMore[] =
    "An editor completes and checks the config with it when the file begins with\n"
    "  # yaml-language-server: $schema=outrigger.schema.json\n\n"
    "Example:\n"
    "  outrigger schema > outrigger.schema.json\n\n"
    "Exit code: 0.";
constexpr char kPublishMore[] =
    "Lines are sent as they arrive; one that is not a JSON value is reported, and the others are "
    "sent.\n\n"
    "Examples:\n"
    "  outrigger publish user.registered '{\"userId\":\"u-1\"}' --key u-1\n"
    "  outrigger publish analytics.tracked < lines.json\n"
    "  tail -f audit.json | outrigger publish audit.recorded\n\n"
    "Exit codes: 0 Kafka has acknowledged all events; 1 not all, or no sidecar answers.";
constexpr char kVersionMore[] =
    "Examples:\n"
    "  outrigger version\n"
    "  outrigger version -o json\n\n"
    "Exit code: 0.";

constexpr char kHelp[] = "--help on each command has examples";

struct Arguments {
  std::string config_file;
  std::string output = "text";
  std::string check_file;
  std::string old_file, new_file;
  std::string event_file;
  PublishOptions publish;
  SpoolOptions spool;
  StatusOptions status;

  bool json() const { return output == "json"; }
};

CLI::App* AddDiff(CLI::App& app, Arguments& arguments) {
  CLI::App* command = app.add_subcommand(
      "diff", "Show what a reload from one config to another would do, field by field.");
  command->add_option("old", arguments.old_file, "The config in force; - reads standard input")
      ->required()
      ->type_name("FILE");
  command->add_option("new", arguments.new_file, "The config to come; - reads standard input")
      ->required()
      ->type_name("FILE");
  AddOutput(*command, arguments.output);
  command->footer(kDiffMore);
  return command;
}

CLI::App* AddExplain(CLI::App& app, Arguments& arguments) {
  CLI::App* command = app.add_subcommand(
      "explain",
      "Show which route takes an event, with topic, key and schema, and why the others do not. "
      "Nothing is sent.");
  command
      ->add_option("event", arguments.event_file,
                   "A file with the JSON body of POST /v1/events; - reads standard input")
      ->required()
      ->type_name("FILE");
  AddConfig(*command, arguments.config_file);
  AddOutput(*command, arguments.output);
  command->footer(kExplainMore);
  return command;
}

CLI::App* AddPublish(CLI::App& app, Arguments& arguments) {
  PublishOptions& options = arguments.publish;
  CLI::App* command =
      app.add_subcommand("publish", "Publish one or many events through a running sidecar.");
  command->add_option("type", options.type, "The event's type")->required();
  command
      ->add_option("data", options.data,
                   "The data, JSON; - reads the data of one event from each line of standard input")
      ->default_val("-")
      ->type_name("JSON");
  command->add_option("--key", options.key, "The event's key");
  command->add_option("--id", options.id, "The event's id (one event only)");
  command->add_option("--subject", options.subject, "The event's subject");
  command->add_option("--event-version", options.version, "The version of the event's data");
  AddSidecar(*command, options.sidecar);
  AddOutput(*command, arguments.output);
  command->footer(kPublishMore);
  return command;
}

// The unexpected argument, and the command or option whose name is nearest to it.
std::string Unexpected(const CLI::App& app, std::string_view first) {
  const CLI::App* given = &app;
  std::string name;  // "spool list"
  for (auto next = app.get_subcommands(); !next.empty(); next = given->get_subcommands()) {
    given = next.front();
    name += (name.empty() ? "" : " ") + given->get_name();
  }
  std::vector<std::string> known;
  for (const auto* command : given->get_subcommands([](const CLI::App*) { return true; }))
    known.push_back(command->get_name());
  for (const auto* option : given->get_options())
    for (const auto& option_name : option->get_lnames()) known.push_back("--" + option_name);
  const std::string nearest = base::Nearest(first, known);
  const std::string what = "`" + std::string(first) + "`";
  return (name.empty() ? what + " is not known" : "`" + name + "` does not know " + what) +
         (nearest.empty() ? "" : ": did you mean `" + nearest + "`?");
}

// Works also for a call that can't be parsed, whose error is then JSON, too.
bool AsksForJson(int argc, const char* const* argv) {
  for (int at = 1; at < argc; ++at) {
    const std::string_view word = argv[at];
    const std::string_view next = at + 1 < argc ? argv[at + 1] : "";
    if (word == "-ojson" || word == "-o=json" || word == "--output=json" ||
        ((word == "-o" || word == "--output") && next == "json"))
      return true;
  }
  return false;
}

std::string VersionText() { return "outrigger " + Version() + " (commit " + Commit() + ")"; }

int PrintVersion(bool as_json, Console& console) {
  console.out << (as_json ? nlohmann::json{{"version", Version()}, {"commit", Commit()}}.dump()
                          : VersionText())
              << "\n";
  return 0;
}

}  // namespace

std::string ConfigFile(const std::string& given, const config::Environment& environment) {
  if (!given.empty()) return given;
  if (const auto named = environment("OUTRIGGER_CONFIG"); named && !named->empty()) return *named;
  return access(kDefaultFile, F_OK) == 0 ? kDefaultFile : "";
}

int Main(int argc, const char* const* argv, Console& console, const RunCommand& run,
         const CheckClients& check_clients) {
  CLI::App app(kOverview, "outrigger");
  app.require_subcommand(0, 1);
  app.footer(kOverviewMore);
  app.set_version_flag("--version", VersionText());
  Arguments arguments;
  AddConfig(app, arguments.config_file);

  CLI::App* run_command = app.add_subcommand("run", "Run the sidecar (the default command).");
  AddConfig(*run_command, arguments.config_file);
  run_command->footer(kRunMore);
  CLI::App* check = app.add_subcommand(
      "check",
      "Check a config file and the files that it names; list every problem with its place.");
  check->add_option("file", arguments.check_file, "The config file; - reads standard input")
      ->required()
      ->type_name("FILE");
  AddOutput(*check, arguments.output);
  check->footer(kCheckMore);
  CLI::App* diff = AddDiff(app, arguments);
  CLI::App* explain = AddExplain(app, arguments);
  CLI::App* schema = app.add_subcommand("schema", "Print the JSON Schema of the config file.");
  AddOutput(*schema, arguments.output);
  schema->footer(kSchemaMore);
  CLI::App* publish = AddPublish(app, arguments);
  CLI::App* spool = AddSpool(app, arguments.spool, arguments.config_file, arguments.output);
  CLI::App* status = AddStatus(app, arguments.status, arguments.output);
  CLI::App* version = app.add_subcommand("version", "Print the version.");
  AddOutput(*version, arguments.output);
  version->footer(kVersionMore);
  const auto later = AddLaterCommands(app);

  const bool as_json = AsksForJson(argc, argv);
  const auto wrong_usage = [&](const std::string& what, const std::string& hint) {
    PrintError(base::Error::Invalid(what, hint), as_json, console);
    return 2;
  };
  try {
    app.parse(argc, argv);
  } catch (const CLI::ExtrasError&) {
    const auto extras = app.remaining(true);
    const auto* first = std::find_first_of(argv + 1, argv + argc, extras.begin(), extras.end());
    return wrong_usage(Unexpected(app, *first), kHelp);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) return wrong_usage(error.what(), kHelp);
    return app.exit(error, console.out, console.err);
  }
  for (const auto& [command, instead] : later)
    if (*command)
      return wrong_usage("outrigger " + command->get_name() + " is not in this version",
                         "instead: " + instead);
  if (*check) return Check(arguments.check_file, arguments.json(), check_clients, console);
  if (*diff) return Diff(arguments.old_file, arguments.new_file, arguments.json(), console);
  if (*publish) return Publish(arguments.publish, arguments.json(), console);
  arguments.spool.place.config = arguments.config_file;
  if (*spool) return Spool(arguments.spool, arguments.json(), console);
  if (*status) return Status(arguments.status, arguments.json(), console);
  if (*version) return PrintVersion(arguments.json(), console);
  if (*schema) {
    console.out << config::JsonSchema();  // JSON in either form
    return 0;
  }
  const std::string config_file = ConfigFile(arguments.config_file, console.environment);
  if (*explain) return Explain(arguments.event_file, config_file, arguments.json(), console);
  if (config_file == "-")
    return wrong_usage("the config of `run` is watched, so it can't be standard input",
                       "name a file");
  return run(config_file);
}

}  // namespace outrigger::cli
