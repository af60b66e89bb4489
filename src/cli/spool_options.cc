#include <CLI/CLI.hpp>
#include <cstdint>

#include "cli/options.h"
#include "cli/spool_command.h"
#include "config/values.h"

namespace outrigger::cli {
namespace {

constexpr char kSpoolMore[] =
    "The file of a stopped sidecar is opened; a running one is asked.\n\n"
    "Examples:\n"
    "  outrigger spool list --config outrigger.yaml\n"
    "  outrigger spool list --quarantine --url http://127.0.0.1:8800\n"
    "  outrigger spool requeue --all --path /var/lib/outrigger\n\n"
    "Exit codes: 0 success; 1 failure; 2 usage error.";
constexpr char kListMore[] =
    "Examples:\n"
    "  outrigger spool list\n"
    "  outrigger spool list --quarantine --topic user.events --limit 20\n"
    "  outrigger spool list -o json | jq '.records[].eventId'\n\n"
    "Exit codes: 0 success, also where there is none; 1 the spool can't be read.";
constexpr char kShowMore[] =
    "Examples:\n"
    "  outrigger spool show 019a8e2c-5d1b-7c1e-9a52-0c6e1f6f2d11\n"
    "  outrigger spool show 17 -o json\n\n"
    "Exit codes: 0 success; 1 there is no such record, or the spool can't be read.";
constexpr char kExportMore[] =
    "Each line has a whole record: `value` and `key` are text, or `valueBase64` and `keyBase64`.\n"
    "Nothing is removed.\n\n"
    "Examples:\n"
    "  outrigger spool export > spool.ndjson\n"
    "  outrigger spool export --quarantine --file quarantine.ndjson\n\n"
    "Exit codes: 0 success; 1 the spool can't be read, or the file not be written.";
constexpr char kRequeueMore[] =
    "They are sent again, behind later events of their key.\n\n"
    "Examples:\n"
    "  outrigger spool requeue 17 18\n"
    "  outrigger spool requeue --all --topic user.events\n\n"
    "Exit codes: 0 all were requeued; 1 not all.";
constexpr char kDropMore[] =
    "A record is lost then: `outrigger spool export` keeps a copy. One that is on its way to "
    "Kafka\n"
    "can't be dropped.\n\n"
    "Examples:\n"
    "  outrigger spool drop 17 18\n"
    "  outrigger spool drop --all --yes\n"
    "  outrigger spool drop --spool 31      one that waits for Kafka\n\n"
    "Exit codes: 0 all were dropped; 1 not all.";

CLI::Validator WholeFrom(int64_t least) {
  return {[least](const std::string& text) {
            const auto number = config::ParseWhole(text);
            if (number && *number >= static_cast<uint64_t>(least) && *number <= INT64_MAX)
              return std::string();
            return "a whole number from " + std::to_string(least) + ", not `" + text + "`";
          },
          ""};
}

// What every action has.
CLI::App* Add(CLI::App& spool, SpoolOptions& options, std::string& config, std::string& output,
              const char* name, const char* what, const char* more) {
  CLI::App* action = spool.add_subcommand(name, what);
  action->callback([&options, name] { options.action = name; });
  action->add_option("--path", options.place.path, "The folder of the spool; else spool.path")
      ->type_name("FOLDER");
  AddConfig(*action, config);
  AddSidecar(*action, options.place.sidecar);
  AddOutput(*action, output);
  action->footer(more);
  return action;
}

void AddTopic(CLI::App& action, SpoolOptions& options) {
  action.add_option("--topic", options.topic, "Only records of this topic");
}

void AddIds(CLI::App& action, SpoolOptions& options) {
  action.add_option("id", options.ids, "Ids of records, as `list` shows them")
      ->check(WholeFrom(1))
      ->type_name("ID");
  action.add_flag("--all", options.all, "All records that there are now");
  AddTopic(action, options);
}

}  // namespace

CLI::App* AddSpool(CLI::App& app, SpoolOptions& options, std::string& config, std::string& output) {
  CLI::App* spool = app.add_subcommand(
      "spool", "List, show, export, requeue and drop the records of a spool and its quarantine.");
  spool->require_subcommand(0, 1);
  spool->footer(kSpoolMore);
  const auto add = [&](const char* name, const char* what, const char* more) {
    return Add(*spool, options, config, output, name, what, more);
  };
  CLI::App* list = add("list", "List the records that wait for Kafka, in their order.", kListMore);
  list->add_option("--after", options.after, "Only records behind the one with this id")
      ->check(WholeFrom(0));
  list->add_option("--limit", options.limit, "At most so many; 100 by default")
      ->check(WholeFrom(1));
  CLI::App* show = add("show", "Show all that is known of an event or a record.", kShowMore);
  show->add_option("id", options.id, "The id of an event, or of a record")->required();
  CLI::App* exported = add("export", "Write whole records as lines of JSON.", kExportMore);
  exported->add_option("--file", options.file, "Instead of standard output")->type_name("FILE");
  for (CLI::App* action : {list, exported}) {
    action->add_flag("--quarantine", options.quarantine, "Those that Kafka rejected for good");
    AddTopic(*action, options);
  }
  AddIds(*add("requeue", "Put records of the quarantine back into the spool.", kRequeueMore),
         options);
  CLI::App* drop = add("drop", "Delete records of the quarantine.", kDropMore);
  AddIds(*drop, options);
  drop->add_flag("--spool", options.from_spool, "Of those that wait for Kafka instead");
  drop->add_flag("--yes", options.yes, "Really: --all drops nothing without it");
  return spool;
}

}  // namespace outrigger::cli
