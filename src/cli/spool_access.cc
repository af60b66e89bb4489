#include "cli/spool_access.h"

#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/answer.h"
#include "config/values.h"
#include "outbound/sidecar_client.h"
#include "publish/endpoint.h"
#include "publish/record_list.h"
#include "store/spool_file.h"
#include "store/spool_folder.h"

namespace outrigger::cli {
namespace {

using nlohmann::json;
using publish::Change;
using publish::ChangeResult;

const publish::ReserveList kNoLimit = [](uint64_t) { return true; };

class RunningSpool : public SpoolAccess {
 public:
  explicit RunningSpool(outbound::SidecarAddress sidecar) : sidecar_(std::move(sidecar)) {}

  base::Result<std::string> List(const ListAsk& ask) override {
    outbound::Query query{{"after", std::to_string(ask.after)},
                          {"limit", std::to_string(ask.limit)}};
    if (!ask.topic.empty()) query.emplace_back("topic", ask.topic);
    const auto& endpoint = ask.quarantine ? publish::kQuarantineEndpoint : publish::kSpoolEndpoint;
    return BodyOf(outbound::Get(sidecar_, std::string(endpoint.pattern), query));
  }
  base::Result<std::string> Find(const std::string& event_id) override {
    return BodyOf(
        outbound::Get(sidecar_, std::string(publish::kSpoolEventEndpoint.prefix()) + event_id, {}));
  }
  base::Result<std::string> Apply(Change change, const std::vector<int64_t>& ids) override {
    const auto& endpoint = change == Change::kRequeue ? publish::kRequeueEndpoint
                           : change == Change::kDrop  ? publish::kDropEndpoint
                                                      : publish::kDropQuarantinedEndpoint;
    return BodyOf(outbound::Post(sidecar_, std::string(endpoint.pattern), {}, "application/json",
                                 json{{"ids", ids}}.dump()));
  }

 private:
  base::Result<std::string> BodyOf(base::Result<outbound::Answer> answer) const {
    if (!answer) return base::Fail(std::move(answer.error()));
    const auto body = json::parse(answer->body, nullptr, false);
    const bool ours = body.contains("records") || body.contains("results");
    if (answer->status == 200 && ours) return std::move(answer->body);
    std::string why = "it answers " + std::to_string(answer->status);
    if (body.is_object()) why += ": " + body.value("detail", "");
    return base::Fail({base::Code::kUnavailable, "the sidecar at " + sidecar_.url + ": " + why,
                       answer->status == 401 ? "--token-file names the file with the token" : "",
                       false});
  }

  const outbound::SidecarAddress sidecar_;
};

class StoppedSpool : public SpoolAccess {
 public:
  StoppedSpool(store::SpoolFolder folder, store::SpoolFile file)
      : folder_(std::move(folder)), file_(std::move(file)) {}

  base::Result<std::string> List(const ListAsk& ask) override {
    if (ask.quarantine)
      return JsonOf(file_.quarantine().List(ask.after, ask.limit, publish::kListBytes), ask.topic);
    return JsonOf(file_.spool().Read(ask.after, ask.limit, publish::kListBytes), ask.topic);
  }
  base::Result<std::string> Find(const std::string& event_id) override {
    auto spooled = file_.spool().Find(event_id);
    if (!spooled) return base::Fail(spooled.error());
    auto quarantined = file_.quarantine().Find(event_id);
    if (!quarantined) return base::Fail(quarantined.error());
    return *publish::ListJson(store::Store::Found{std::move(*spooled), std::move(*quarantined)},
                              kNoLimit);
  }
  base::Result<std::string> Apply(Change change, const std::vector<int64_t>& ids) override {
    if (auto begun = file_.Begin(UINT64_MAX); !begun) return base::Fail(begun.error());
    std::vector<ChangeResult> results;
    for (const int64_t id : ids) {
      const auto row = change == Change::kRequeue ? file_.Requeue(id)
                       : change == Change::kDrop  ? file_.Drop(id)
                                                  : file_.DropQuarantined(id);
      if (!row) return base::Fail(row.error());
      results.push_back(!*row
                            ? ChangeResult::NotThere(id, change)
                            : ChangeResult::Done(id, change == Change::kRequeue ? (*row)->id : 0));
    }
    if (auto committed = file_.Commit(); !committed) return base::Fail(committed.error());
    return ToJson(results, change);
  }

 private:
  template <typename Rows>
  static base::Result<std::string> JsonOf(base::Result<Rows> rows, const std::string& topic) {
    if (!rows) return base::Fail(rows.error());
    return *publish::ListJson(std::move(*rows), topic, kNoLimit);
  }

  const store::SpoolFolder folder_;
  store::SpoolFile file_;
};

// The first line of a file; empty: it can't be read.
std::string LineOf(const std::string& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

// Where the sidecar of that config listens, for a client on its machine.
outbound::SidecarAddress AddressIn(const config::Config& config) {
  outbound::SidecarAddress sidecar;
  if (const auto listen = config::ParseListen(config.http.listen)) {
    const bool all = listen->host.empty() || listen->host == "0.0.0.0" || listen->host == "::";
    const bool v6 = listen->host.find(':') != std::string::npos;
    const std::string host = all ? "127.0.0.1" : v6 ? "[" + listen->host + "]" : listen->host;
    sidecar.url = "http://" + host + ":" + std::to_string(listen->port);
  }
  if (!config.http.token_file.empty()) sidecar.token = LineOf(config.http.token_file);
  return sidecar;
}

// The sidecar at that address, if it is the one that has the folder locked.
base::Result<std::unique_ptr<SpoolAccess>> AskOwner(const std::string& folder,
                                                    const base::Error& locked,
                                                    const outbound::SidecarAddress& sidecar) {
  auto access = std::make_unique<RunningSpool>(sidecar);
  const auto first = access->List({.limit = 1});
  if (!first)
    return base::Fail({first.error().code, locked.message + ", and " + first.error().message,
                       "--url has to be http.listen of that process", false});
  const int64_t process = json::parse(*first).value("process", int64_t{0});
  if (std::to_string(process) != LineOf(folder + "/outrigger.lock"))
    return base::Fail(
        {base::Code::kConflict,
         locked.message + ", but the one at " + sidecar.url + " is " + std::to_string(process),
         "--url has to be http.listen of the process that has the spool", false});
  return access;
}

}  // namespace

base::Result<std::unique_ptr<SpoolAccess>> OpenSpool(const SpoolPlace& place, Console& console) {
  std::string folder = place.path;
  outbound::SidecarAddress otherwise;
  const bool names_sidecar = !place.sidecar.url.empty() || console.environment("OUTRIGGER_URL");
  const bool asks_config = place.path.empty() && (!place.config.empty() || !names_sidecar);
  const std::string config_file = asks_config ? ConfigFile(place.config, console.environment) : "";
  if (!config_file.empty()) {
    const config::Loaded loaded = LoadConfig(config_file, console);
    if (!loaded.ok())
      return base::Fail(
          {base::Code::kInvalid, config_file + " has errors, so its spool.path is not known",
           "outrigger check names them; --path names the folder of the spool", false});
    folder = loaded.config.spool.path;
    otherwise = AddressIn(loaded.config);
    if (folder.empty())
      return base::Fail({base::Code::kNotFound, config_file + " has no spool.path",
                         "--path names the folder of the spool", false});
  }
  const auto sidecar = AddressOf(place.sidecar, std::move(otherwise), console);
  if (!sidecar) return base::Fail(sidecar.error());
  if (folder.empty()) return std::make_unique<RunningSpool>(*sidecar);
  // What is not there would be made.
  if (access((folder + "/outrigger.db").c_str(), F_OK) != 0)
    return base::Fail({base::Code::kNotFound, "there is no spool in " + folder,
                       "--path, or spool.path of the config, is the folder with outrigger.db",
                       false});
  auto taken = store::SpoolFolder::Take(folder);
  if (!taken && taken.error().code == base::Code::kConflict)
    return AskOwner(folder, taken.error(), *sidecar);
  if (!taken) return base::Fail(taken.error());
  auto file = taken->OpenFile();
  if (!file) return base::Fail(file.error());
  return std::make_unique<StoppedSpool>(std::move(*taken), std::move(*file));
}

}  // namespace outrigger::cli
