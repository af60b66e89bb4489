#include "cli/spool_command.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <ostream>

#include "base/text.h"
#include "cli/answer.h"
#include "cli/spool_text.h"
#include "publish/record_list.h"

namespace outrigger::cli {
namespace {

using Json = nlohmann::ordered_json;
using publish::Change;

// The call that prints and returns the exit code, with what it needs.
struct Call {
  const SpoolOptions& options;
  SpoolAccess& access;
  bool as_json;
  Console& console;

  int Fail(const base::Error& error) const {
    PrintError(error, as_json, console);
    return 1;
  }
};

// Page by page, until `visit` says that it is enough.
base::Result<void> Walk(SpoolAccess& access, ListAsk ask,
                        const std::function<bool(const Json&)>& visit) {
  while (true) {
    const auto text = access.List(ask);
    if (!text) return base::Fail(text.error());
    const Json page = Json::parse(*text);
    for (const auto& record : page.at("records"))
      if (!visit(record)) return {};
    const int64_t next = page.value("next", ask.after);
    if (next <= ask.after) return {};
    ask.after = next;
  }
}

int List(const Call& call) {
  const auto limit = static_cast<size_t>(call.options.limit);
  // One more says whether there are more.
  const ListAsk ask{.quarantine = call.options.quarantine,
                    .after = call.options.after,
                    .limit = std::min(limit + 1, publish::kListRecords),
                    .topic = call.options.topic};
  Json records = Json::array();
  bool more = false;
  const auto walked = Walk(call.access, ask, [&](const Json& record) {
    more = records.size() == limit;
    if (!more) records.push_back(record);
    return !more;
  });
  if (!walked) return call.Fail(walked.error());
  if (call.as_json) {
    Json answer{{"records", records}};
    if (more) answer["next"] = records.back()["id"];
    call.console.out << answer.dump() << "\n";
    return 0;
  }
  const auto now = std::chrono::system_clock::now();
  if (!records.empty()) call.console.out << RecordHeading(ask.quarantine);
  for (const auto& record : records) call.console.out << RecordLine(record, ask.quarantine, now);
  if (records.empty())
    call.console.out << "nothing is in the " << (ask.quarantine ? "quarantine" : "spool") << "\n";
  if (more)
    call.console.out << "there are more: --after " << records.back()["id"] << ", or --limit\n";
  return 0;
}

// The record of that id, in the spool or the quarantine.
base::Result<void> FindById(SpoolAccess& access, int64_t id, Json& records) {
  for (const bool quarantine : {false, true}) {
    auto walked = Walk(access, {.quarantine = quarantine, .after = id - 1, .limit = 1},
                       [&](const Json& record) {
                         const auto same = [&](const Json& known) { return known == record; };
                         if (record.at("id") == id && std::ranges::none_of(records, same))
                           records.push_back(record);
                         return false;
                       });
    if (!walked) return walked;
  }
  return {};
}

int Show(const Call& call) {
  const std::string& id = call.options.id;
  const auto found = call.access.Find(id);
  if (!found) return call.Fail(found.error());
  Json records = Json::parse(*found).at("records");
  int64_t number = 0;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
  if (error == std::errc() && end == id.data() + id.size() && number > 0)
    if (auto by_id = FindById(call.access, number, records); !by_id)
      return call.Fail(by_id.error());
  if (records.empty())
    return call.Fail({base::Code::kNotFound, "neither the spool nor its quarantine has " + id,
                      "it is there no more once Kafka has acknowledged it; `outrigger spool list` "
                      "shows what is there",
                      false});
  if (call.as_json) {
    call.console.out << Json{{"records", records}}.dump() << "\n";
    return 0;
  }
  const auto now = std::chrono::system_clock::now();
  for (size_t i = 0; i < records.size(); ++i)
    call.console.out << (i > 0 ? "\n" : "") << RecordText(records[i], now);
  return 0;
}

int Export(const Call& call) {
  const std::string& name = call.options.file;
  std::ofstream file;
  if (!name.empty()) file.open(name, std::ios::trunc);
  std::ostream& out = name.empty() ? call.console.out : file;
  size_t count = 0;
  const auto walked = Walk(call.access,
                           {.quarantine = call.options.quarantine,
                            .limit = publish::kListRecords,
                            .topic = call.options.topic},
                           [&](const Json& record) {
                             out << record.dump() << "\n";
                             ++count;
                             return out.good();
                           });
  if (!walked) return call.Fail(walked.error());
  if (!out.flush())
    return call.Fail({base::Code::kUnavailable,
                      (name.empty() ? "standard output" : name) + " can't be written",
                      "nothing was removed from the spool", false});
  if (!call.as_json) {
    call.console.err << base::Counted(count, "record") << " exported\n";
  } else if (!name.empty()) {
    call.console.out << Json{{"exported", count}}.dump() << "\n";
  }
  return 0;
}

// Which records a change is of. All of them are known before the first is changed: what is requeued
// may come back.
base::Result<std::vector<int64_t>> IdsOf(const Call& call) {
  if (!call.options.all) return call.options.ids;
  std::vector<int64_t> ids;
  const auto walked = Walk(call.access,
                           {.quarantine = !call.options.from_spool,
                            .limit = publish::kListRecords,
                            .topic = call.options.topic},
                           [&ids](const Json& record) {
                             ids.push_back(record.at("id").get<int64_t>());
                             return true;
                           });
  if (!walked) return base::Fail(walked.error());
  return ids;
}

int Apply(const Call& call, Change change) {
  const auto ids = IdsOf(call);
  if (!ids) return call.Fail(ids.error());
  const std::string done = change == Change::kRequeue ? "requeued" : "dropped";
  Json results = Json::array();
  size_t count = 0;
  base::Result<std::string> answer;
  for (size_t from = 0; from < ids->size() && answer; from += publish::kListRecords) {
    const auto first = ids->begin() + static_cast<ptrdiff_t>(from);
    const size_t size = std::min(publish::kListRecords, ids->size() - from);
    answer = call.access.Apply(change, {first, first + static_cast<ptrdiff_t>(size)});
    if (!answer) break;
    const Json told = Json::parse(*answer);
    for (const auto& result : told.at("results")) {
      if (result.at("status") == done) ++count;
      if (result.at("status") != done && !call.as_json)
        call.console.err << "outrigger: " << result.at("id") << ": " << result.value("detail", "")
                         << "\n";
      results.push_back(result);
    }
  }
  const size_t refused = results.size() - count;
  // What was done before a failure is told, too.
  if (!answer) PrintError(answer.error(), call.as_json, call.console);
  if (!call.as_json) {
    call.console.out << base::Counted(count, "record") << " " << done;
    if (refused > 0) call.console.out << ", " << refused << " refused";
    call.console.out << "\n";
  } else if (answer) {
    call.console.out << Json{{done, count}, {"refused", refused}, {"results", results}}.dump()
                     << "\n";
  }
  return answer && refused == 0 ? 0 : 1;
}

std::string WrongUsage(const SpoolOptions& options) {
  if (options.action.empty()) return "what to do: list, show, export, requeue or drop";
  if (options.action != "requeue" && options.action != "drop") return {};
  if (options.ids.empty() != options.all) return "name records by their ids, or all by --all";
  if (!options.topic.empty() && !options.all) return "--topic chooses among --all";
  if (options.action == "drop" && options.all && !options.yes)
    return "--all drops every record: confirm it by --yes";
  return {};
}

}  // namespace

int Spool(const SpoolOptions& options, bool as_json, Console& console) {
  if (const std::string wrong = WrongUsage(options); !wrong.empty()) {
    PrintError(
        base::Error::Invalid(wrong, "`outrigger spool" +
                                        (options.action.empty() ? "" : " " + options.action) +
                                        " --help` has examples"),
        as_json, console);
    return 2;
  }
  auto access = OpenSpool(options.place, console);
  if (!access) {
    PrintError(access.error(), as_json, console);
    return 1;
  }
  const Call call{options, **access, as_json, console};
  if (options.action == "list") return List(call);
  if (options.action == "show") return Show(call);
  if (options.action == "export") return Export(call);
  if (options.action == "requeue") return Apply(call, Change::kRequeue);
  return Apply(call, options.from_spool ? Change::kDrop : Change::kDropQuarantined);
}

}  // namespace outrigger::cli
