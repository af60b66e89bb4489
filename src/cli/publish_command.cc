#include "cli/publish_command.h"

#include <unistd.h>

#include <fstream>
#include <istream>
#include <nlohmann/json.hpp>
#include <ostream>

#include "base/json_text.h"
#include "outbound/sidecar_client.h"

namespace outrigger::cli {
namespace {

using outbound::Answer;

// So many lines go in one request: enough to be fast, little enough to show progress and to hold in
// memory.
constexpr size_t kLinesInRequest = 5000;
constexpr size_t kBytesInRequest = 4 << 20;

int Print(const base::Result<Answer>& answer, Console& console) {
  if (!answer) {
    console.err << "outrigger: " << answer.error().message << "\n  " << answer.error().hint << "\n";
    return 1;
  }
  (answer->status < 300 ? console.out : console.err) << answer->body << "\n";
  return answer->status < 300 ? 0 : 1;
}

std::string Envelope(const PublishOptions& options, const std::string& data) {
  std::string out = "{\"type\":" + base::JsonString(options.type);
  const auto add = [&out](const char* name, const std::string& value) {
    if (!value.empty()) out += std::string(",\"") + name + "\":" + base::JsonString(value);
  };
  add("key", options.key);
  add("subject", options.subject);
  add("version", options.version);
  return out + ",\"data\":" + data + "}\n";
}

struct Totals {
  uint64_t accepted = 0;
  uint64_t failed = 0;
  uint64_t lines = 0;
};

// Adds the counts of an NDJSON answer and prints its failures with the line numbers of the whole
// stream.
bool AddAnswer(const Answer& answer, uint64_t lines_before, Totals& totals, Console& console) {
  const auto json = nlohmann::json::parse(answer.body, nullptr, false);
  if (!json.is_object() || !json.contains("accepted")) {
    console.err << answer.body << "\n";
    return false;
  }
  totals.accepted += json["accepted"].get<uint64_t>();
  totals.failed += json["failed"].get<uint64_t>();
  for (const auto& failure : json["failures"])
    console.err << "line " << lines_before + failure["line"].get<uint64_t>() << ": "
                << failure["problem"].dump() << "\n";
  return true;
}

int PublishLines(const PublishOptions& options, const outbound::SidecarAddress& sidecar,
                 Console& console) {
  const bool show = isatty(STDERR_FILENO) != 0;
  Totals totals;
  std::string body, line;
  uint64_t in_request = 0;
  const auto send = [&] {
    const auto answer = outbound::Post(sidecar, "/v1/events", {}, "application/x-ndjson", body);
    if (!answer) return Print(answer, console) == 0;
    if (!AddAnswer(*answer, totals.lines - in_request, totals, console)) return false;
    body.clear();
    in_request = 0;
    if (show)
      console.err << "\r" << totals.accepted << " accepted, " << totals.failed << " failed"
                  << std::flush;
    return true;
  };
  while (std::getline(console.in, line)) {
    ++totals.lines;
    ++in_request;
    // An empty line keeps its number: the sidecar passes over it too.
    body += line.find_first_not_of(" \t\r") == std::string::npos ? "\n" : Envelope(options, line);
    if ((in_request == kLinesInRequest || body.size() > kBytesInRequest) && !send()) return 1;
  }
  if (in_request > 0 && !send()) return 1;
  if (show) console.err << "\n";
  console.out << "{\"accepted\":" << totals.accepted << ",\"failed\":" << totals.failed
              << ",\"line\":" << totals.lines << "}\n";
  return totals.failed == 0 ? 0 : 1;
}

}  // namespace

int Publish(const PublishOptions& options, Console& console) {
  outbound::SidecarAddress sidecar;
  if (const auto url = console.environment("OUTRIGGER_URL")) sidecar.url = *url;
  if (!options.url.empty()) sidecar.url = options.url;
  if (!options.token_file.empty()) {
    std::ifstream in(options.token_file);
    if (!std::getline(in, sidecar.token)) {
      console.err << "outrigger: --token-file " << options.token_file
                  << " can't be read or is empty\n";
      return 2;
    }
  }
  if (options.data == "-") return PublishLines(options, sidecar, console);
  outbound::Query query;
  for (const auto& [name, value] : {std::pair<const char*, const std::string&>{"key", options.key},
                                    {"id", options.id},
                                    {"subject", options.subject},
                                    {"version", options.version}})
    if (!value.empty()) query.emplace_back(name, value);
  return Print(outbound::Post(sidecar, "/v1/events/" + options.type, query, "application/json",
                              options.data),
               console);
}

}  // namespace outrigger::cli
