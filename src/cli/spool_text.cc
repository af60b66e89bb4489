#include "cli/spool_text.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "base/json_text.h"
#include "cli/age.h"
#include "config/values.h"

namespace outrigger::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kNameWidth = 16;  // in RecordText
constexpr size_t kMostShown = 40;  // of a key in a line
// Of the columns but the last; in the quarantine the reason is the last but one.
constexpr std::array<size_t, 7> kWidths{8, 24, 9, 20, 8, 4, 10};

// Without what a terminal would obey.
std::string Plain(const std::string& text) {
  const std::string quoted = base::JsonString(text);
  return quoted.substr(1, quoted.size() - 2);
}

std::string Text(const Json& record, const char* name) {
  const auto found = record.find(name);
  if (found == record.end() || found->is_null()) return {};
  return found->is_string() ? found->get<std::string>() : found->dump();
}

// "bytes" may be text, "bytesBase64", or null.
std::string Bytes(const Json& record, const std::string& name) {
  if (const auto base64 = record.find(name + "Base64"); base64 != record.end())
    return "base64:" + base64->get<std::string>();
  return Plain(Text(record, name.c_str()));
}

std::string Age(const std::string& since, base::WallTime now) {
  const auto from = config::ParseRfc3339(since);
  return from ? ShowAge(std::chrono::duration_cast<std::chrono::seconds>(now - *from)) : "-";
}

std::string Line(const std::vector<std::string>& columns) {
  std::string line;
  for (size_t i = 0; i < columns.size(); ++i) {
    const std::string column = columns[i].empty() ? "-" : columns[i];
    line.append(column);
    if (i + 1 == columns.size()) break;
    line.append(std::max(kWidths[i], column.size()) - column.size() + 2, ' ');
  }
  return line + "\n";
}

}  // namespace

std::string RecordHeading(bool quarantine) {
  std::vector<std::string> columns{"ID", "TOPIC", "PARTITION", "KEY", "BYTES", "AGE", "EVENT"};
  if (quarantine) columns.insert(columns.end() - 1, "REASON");
  return Line(columns);
}

std::string RecordLine(const Json& record, bool quarantine, base::WallTime now) {
  std::vector<std::string> columns{Text(record, "id"),
                                   Plain(Text(record, "topic")),
                                   Text(record, "partition"),
                                   base::Excerpt(Bytes(record, "key"), kMostShown),
                                   Text(record, "bytes"),
                                   Age(Text(record, "acceptedAt"), now),
                                   Plain(Text(record, "eventId"))};
  std::string reason = Plain(Text(record, "reason"));
  if (record.contains("damaged")) reason = "damaged";
  if (quarantine) {
    columns.insert(columns.end() - 1, reason);
  } else if (!reason.empty()) {
    columns.back() = reason;
  }
  return Line(columns);
}

std::string RecordText(const Json& record, base::WallTime now) {
  std::string out;
  const auto line = [&out](const std::string& name, const std::string& value) {
    if (value.empty()) return;
    out.append(name).append(kNameWidth - name.size(), ' ');
    out.append(value).append("\n");
  };
  line("id", Text(record, "id") + " in the " + Text(record, "in"));
  if (record.contains("damaged")) line("damaged", "its checksum is wrong");
  line("reason", Plain(Text(record, "reason")));
  line("detail", Plain(Text(record, "detail")));
  line("quarantined", Text(record, "quarantinedAt"));
  line("event", Plain(Text(record, "eventId")));
  line("source", Plain(Text(record, "source")));
  line("target", Text(record, "target"));
  const std::string accepted = Text(record, "acceptedAt");
  line("accepted", accepted.empty() ? "" : accepted + ", " + Age(accepted, now) + " ago");
  line("topic", Plain(Text(record, "topic")));
  line("partition", Text(record, "partition"));
  line("timestamp", Text(record, "timestampMs"));
  line("key", Bytes(record, "key"));
  line("dead letter", Plain(Text(record, "deadLetter")));
  for (const auto& header : record.value("headers", Json::array()))
    line("header",
         Bytes(header, "name") + ": " +
             (header.contains("value") && header["value"].is_null() ? "null"
                                                                    : Bytes(header, "value")));
  line("bytes", Text(record, "bytes"));
  if (const auto value = record.find("value"); value != record.end() && value->is_string()) {
    out.append("\n").append(value->get<std::string>()).append("\n");
  } else if (record.contains("headers")) {
    line("value", record.contains("valueBase64") ? Bytes(record, "value") : "null");
  }
  return out;
}

}  // namespace outrigger::cli
