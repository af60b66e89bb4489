#include "cli/commands.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <ostream>
#include <sstream>

#include "cli/publish_command.h"
#include "publish/explain.h"

namespace outrigger::cli {
namespace {

constexpr char kDefaultFile[] = "/etc/outrigger/outrigger.yaml";
constexpr char kOverview[] =
    "Outrigger: a Kafka sidecar. The app speaks HTTP on loopback, Outrigger speaks Kafka.\n\n"
    "Try it without a Kafka:\n"
    "  KAFKA_BROKERS=embedded outrigger run\n"
    "  curl -d '{\"type\":\"user.registered\",\"data\":{\"userId\":\"u-1\"}}' \\\n"
    "       -H 'Content-Type: application/json' http://127.0.0.1:8800/v1/events\n";

std::optional<std::string> ReadAll(const std::string& file, Console& console) {
  std::stringstream text;
  if (file == "-") {
    text << console.in.rdbuf();
    return text.str();
  }
  std::ifstream in(file);
  if (!in) {
    console.err << "outrigger: " << file << " can't be read\n";
    return std::nullopt;
  }
  text << in.rdbuf();
  return text.str();
}

nlohmann::json ToJson(const config::Problem& problem) {
  return {{"severity", problem.severity == config::Problem::Severity::kError ? "error" : "warning"},
          {"file", problem.place.file},
          {"line", problem.place.line},
          {"column", problem.place.column},
          {"path", problem.path},
          {"message", problem.message},
          {"hint", problem.hint}};
}

int Check(const std::string& file, bool as_json, Console& console) {
  config::Loaded loaded = config::Load(file, console.environment);
  if (loaded.ok()) {
    for (auto& problem : publish::Check(loaded.config))
      loaded.problems.push_back(std::move(problem));
  }
  size_t errors = 0;
  for (const auto& problem : loaded.problems)
    if (problem.severity == config::Problem::Severity::kError) ++errors;
  if (as_json) {
    auto list = nlohmann::json::array();
    for (const auto& problem : loaded.problems) list.push_back(ToJson(problem));
    console.out << list.dump(2) << "\n";
  } else {
    for (const auto& problem : loaded.problems) console.out << problem.text() << "\n";
    const std::string name = file.empty() ? "built-in defaults" : file;
    if (loaded.problems.empty()) {
      console.out << name << ": ok, " << loaded.config.routes.size() << " routes\n";
    } else {
      console.out << name << ": " << errors << " errors, " << loaded.problems.size() - errors
                  << " warnings\n";
    }
  }
  return errors == 0 ? 0 : 1;
}

int Explain(const std::string& event_file, const std::string& config_file, bool as_json,
            Console& console) {
  const auto event = ReadAll(event_file, console);
  if (!event) return 2;
  const config::Loaded loaded =
      config::Load(ConfigFile(config_file, console.environment), console.environment);
  if (!loaded.ok()) {
    for (const auto& problem : loaded.problems) console.err << problem.text() << "\n";
    return 1;
  }
  const auto explanation = publish::Explain(loaded.config, *event, as_json);
  if (!explanation) {
    console.err << event_file << ": " << explanation.error().message << "\n";
    if (!explanation.error().hint.empty()) console.err << "  " << explanation.error().hint << "\n";
    return 1;
  }
  console.out << explanation->text;
  return explanation->accepted ? 0 : 1;
}

}  // namespace

std::string ConfigFile(const std::string& given, const config::Environment& environment) {
  if (!given.empty()) return given;
  if (const auto named = environment("OUTRIGGER_CONFIG"); named && !named->empty()) return *named;
  return access(kDefaultFile, F_OK) == 0 ? kDefaultFile : "";
}

int Main(int argc, const char* const* argv, Console& console, const RunCommand& run) {
  CLI::App app(kOverview, "outrigger");
  app.require_subcommand(0, 1);
  std::string config_file;
  app.add_option("-c,--config", config_file,
                 "Config file; else $OUTRIGGER_CONFIG, else /etc/outrigger/outrigger.yaml, else "
                 "built-in defaults");
  app.set_version_flag("--version", Version());

  auto* run_command = app.add_subcommand("run", "Run the sidecar (the default command).");
  run_command->fallthrough();

  std::string output = "text";
  const auto with_output = [&output](CLI::App* command) {
    command->add_option("-o,--output", output, "text or json")
        ->check(CLI::IsMember({"text", "json"}));
  };
  std::string check_file;
  auto* check = app.add_subcommand("check",
                                   "Check a config file and its schemas: every problem with its "
                                   "place; exit code 1 when there is an error.");
  check->add_option("file", check_file, "The config file")->required();
  with_output(check);

  std::string event_file;
  auto* explain = app.add_subcommand("explain",
                                     "Say which rule takes an event, with topic, key and schema, "
                                     "and why the others do not. Nothing is sent.");
  explain
      ->add_option("event", event_file,
                   "A file with the JSON of POST /v1/events; - reads standard input")
      ->required();
  explain->fallthrough();
  with_output(explain);

  auto* schema = app.add_subcommand("schema",
                                    "Print the JSON Schema of the config file. In an editor: # "
                                    "yaml-language-server: $schema=outrigger.schema.json");

  PublishOptions publish_options;
  auto* publish = app.add_subcommand(
      "publish",
      "Publish through a running sidecar.\n"
      "  outrigger publish user.registered '{\"userId\":\"u-1\"}'\n"
      "  outrigger publish analytics.tracked - < lines.json   (each line is one event's data)");
  publish->add_option("type", publish_options.type, "The event's type")->required();
  publish
      ->add_option("data", publish_options.data,
                   "JSON, or - for one event a line of standard input")
      ->default_val("-");
  publish->add_option("--key", publish_options.key, "The event's key");
  publish->add_option("--id", publish_options.id, "The event's id (one event only)");
  publish->add_option("--subject", publish_options.subject, "The event's subject");
  publish->add_option("--event-version", publish_options.version,
                      "The version of the event's data");
  publish->add_option("--url", publish_options.url,
                      "The sidecar; else $OUTRIGGER_URL, else http://127.0.0.1:8800");
  publish->add_option("--token-file", publish_options.token_file,
                      "File with the token that http.tokenFile asks for");

  auto* version = app.add_subcommand("version", "Print the version.");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error, console.out, console.err);
    return code == 0 ? 0 : 2;
  }
  if (*check) return Check(check_file, output == "json", console);
  if (*explain) return Explain(event_file, config_file, output == "json", console);
  if (*schema) {
    console.out << config::JsonSchema();
    return 0;
  }
  if (*publish) return Publish(publish_options, console);
  if (*version) {
    console.out << "outrigger " << Version() << "\n";
    return 0;
  }
  return run(ConfigFile(config_file, console.environment));
}

}  // namespace outrigger::cli
