#include "cli/publish_command.h"

#include <unistd.h>

#include <istream>
#include <nlohmann/json.hpp>
#include <ostream>

#include "base/json_text.h"
#include "cli/answer.h"
#include "event/json.h"
#include "outbound/sidecar_client.h"

namespace outrigger::cli {
namespace {

using nlohmann::json;
using outbound::Answer;

// The lines of one request: enough to be fast, few enough to show progress and to hold in memory.
constexpr size_t kLinesInRequest = 5000;
constexpr size_t kBytesInRequest = 4 << 20;

constexpr size_t kFailuresKept = 1000;

int Print(const base::Result<Answer>& answer, bool as_json, Console& console) {
  if (!answer) {
    PrintError(answer.error(), as_json, console);
    return 1;
  }
  (answer->status < 300 || as_json ? console.out : console.err) << answer->body << "\n";
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

// The lines of standard input: collected, sent, counted.
class Lines {
 public:
  Lines(const PublishOptions& options, const outbound::SidecarAddress& sidecar, bool as_json,
        Console& console)
      : options_(options), sidecar_(sidecar), as_json_(as_json), console_(console) {}

  int Publish() {
    std::string line;
    while (std::getline(console_.in, line)) {
      Add(line);
      // Available lines are sent together, and nothing waits for lines that may never arrive.
      const bool more = console_.in.rdbuf()->in_avail() > 0;
      const bool full = in_request_ == kLinesInRequest || body_.size() > kBytesInRequest;
      if ((!more || full) && !Send()) return 1;
    }
    if (in_request_ > 0 && !Send()) return 1;
    if (show_) console_.err << "\n";
    json totals{{"accepted", accepted_}, {"failed", failed_}, {"line", lines_}};
    if (as_json_) totals["failures"] = failures_;
    console_.out << totals.dump() << "\n";
    return failed_ == 0 ? 0 : 1;
  }

 private:
  void Add(const std::string& line) {
    ++lines_;
    ++in_request_;
    // A line without an event keeps its number: the sidecar skips empty lines, too.
    if (line.find_first_not_of(" \t\r") == std::string::npos) {
      body_ += "\n";
    } else if (const auto valid = reader_.Check(line); !valid) {
      body_ += "\n";
      ++failed_;
      AddFailure(lines_, {{"status", 400}, {"detail", valid.error().message}});
    } else {
      body_ += Envelope(options_, line);
    }
  }

  bool Send() {
    const auto answer = outbound::Post(sidecar_, "/v1/events", {}, "application/x-ndjson", body_);
    const auto counts =
        answer ? json::parse(answer->body, nullptr, false) : json(json::value_t::discarded);
    if (!counts.is_object() || !counts.contains("accepted")) {
      Print(answer, as_json_, console_);
      return false;
    }
    accepted_ += counts["accepted"].get<uint64_t>();
    failed_ += counts["failed"].get<uint64_t>();
    const uint64_t before = lines_ - in_request_;
    for (const auto& failure : counts["failures"])
      AddFailure(before + failure["line"].get<uint64_t>(), failure["problem"]);
    body_.clear();
    in_request_ = 0;
    if (show_)
      console_.err << kClearLine << accepted_ << " accepted, " << failed_ << " failed"
                   << std::flush;
    return true;
  }

  void AddFailure(uint64_t line, const json& problem) {
    if (!as_json_)
      console_.err << (show_ ? kClearLine : "") << "line " << line << ": " << problem.dump()
                   << "\n";
    else if (failures_.size() < kFailuresKept)
      failures_.push_back({{"line", line}, {"problem", problem}});
  }

  static constexpr char kClearLine[] =
      "\r\x1b[K";  // back to the start of the terminal's line, and clear it

  const PublishOptions& options_;
  const outbound::SidecarAddress& sidecar_;
  const bool as_json_;
  Console& console_;
  const bool show_ = isatty(STDERR_FILENO) != 0;
  event::JsonReader reader_;
  std::string body_;
  uint64_t in_request_ = 0;
  uint64_t lines_ = 0, accepted_ = 0, failed_ = 0;
  json failures_ = json::array();
};

}  // namespace

int Publish(const PublishOptions& options, bool as_json, Console& console) {
  const auto sidecar = AddressOf(options.sidecar, {}, console);
  if (!sidecar) {
    PrintError(sidecar.error(), as_json, console);
    return 2;
  }
  if (options.data == "-" && !options.id.empty()) {
    PrintError(base::Error::Invalid("--id names one event, and standard input has many",
                                    "give the data as an argument, or leave --id out"),
               as_json, console);
    return 2;
  }
  if (options.data == "-") return Lines(options, *sidecar, as_json, console).Publish();
  outbound::Query query;
  for (const auto& [name, value] : {std::pair<const char*, const std::string&>{"key", options.key},
                                    {"id", options.id},
                                    {"subject", options.subject},
                                    {"version", options.version}})
    if (!value.empty()) query.emplace_back(name, value);
  return Print(outbound::Post(*sidecar, "/v1/events/" + options.type, query, "application/json",
                              options.data),
               as_json, console);
}

}  // namespace outrigger::cli
