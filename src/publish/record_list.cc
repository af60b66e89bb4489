#include "publish/record_list.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/json_text.h"
#include "event/base64.h"

namespace outrigger::publish {
namespace {

using store::QuarantinedRow;

enum class Place { kSpool, kQuarantine };

bool IsText(std::string_view bytes) {
  const auto control = [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r') ||
           c == 0x7f;
  };
  return base::FindBadUtf8(bytes) == std::string_view::npos && std::ranges::none_of(bytes, control);
}

void Append(std::string& out, std::string_view name, int64_t number) {
  out.append(",\"").append(name).append("\":").append(std::to_string(number));
}

void AppendText(std::string& out, std::string_view name, std::string_view text) {
  if (text.empty()) return;
  out.append(",\"").append(name).append("\":").append(base::JsonString(text));
}

// "name" where the bytes are text, else "nameBase64".
void AppendBytes(std::string& out, std::string_view name, const std::optional<std::string>& bytes) {
  out.append(",\"").append(name);
  if (!bytes) {
    out.append("\":null");
  } else if (IsText(*bytes)) {
    out.append("\":").append(base::JsonString(*bytes));
  } else {
    out.append("Base64\":\"").append(event::EncodeBase64(*bytes)).append("\"");
  }
}

void AppendRecord(std::string& out, const event::Record& record) {
  AppendText(out, "topic", record.topic);
  if (record.partition >= 0) Append(out, "partition", record.partition);
  if (record.timestamp_ms > 0) Append(out, "timestampMs", record.timestamp_ms);
  AppendBytes(out, "key", record.key);
  out.append(",\"headers\":[");
  for (const auto& header : record.headers) {
    if (&header != &record.headers.front()) out.push_back(',');
    out.append("{\"name\":").append(base::JsonString(header.name));
    AppendBytes(out, "value", header.value);
    out.push_back('}');
  }
  out.push_back(']');
  AppendBytes(out, "value", record.value);
}

std::string RecordJson(Place place, const QuarantinedRow& quarantined) {
  const store::Row& row = quarantined.row;
  std::string out = "{\"id\":" + std::to_string(row.id);
  AppendText(out, "in", place == Place::kSpool ? "spool" : "quarantine");
  if (quarantined.damaged) out.append(",\"damaged\":true");
  AppendText(out, "reason", quarantined.reason);
  AppendText(out, "detail", quarantined.detail);
  if (place == Place::kQuarantine)
    AppendText(out, "quarantinedAt", base::Rfc3339OfMillis(quarantined.quarantined_ms));
  AppendText(out, "eventId", row.event_id);
  AppendText(out, "source", row.source);
  Append(out, "target", row.target);
  AppendText(out, "acceptedAt", base::Rfc3339OfMillis(row.accepted_ms));
  AppendText(out, "deadLetter", row.dead_letter);
  Append(out, "bytes", static_cast<int64_t>(row.bytes()));
  AppendRecord(out, row.record);
  return out + "}";
}

QuarantinedRow Waiting(store::Row row) {
  QuarantinedRow waiting;
  waiting.row = std::move(row);
  return waiting;
}

class List {
 public:
  explicit List(const ReserveList& reserve) : reserve_(reserve) {}

  // False: there is no room for it.
  bool Add(Place place, const QuarantinedRow& row) {
    const std::string text = RecordJson(place, row);
    if (!reserve_(text_.size() + text.size())) return false;
    if (!empty_) text_.push_back(',');
    empty_ = false;
    text_.append(text);
    return true;
  }
  std::string Finish(int64_t next) {
    text_.push_back(']');
    if (next > 0) Append(text_, "next", next);
    text_.push_back('}');
    return std::move(text_);
  }

 private:
  const ReserveList& reserve_;
  std::string text_ = "{\"records\":[";
  bool empty_ = true;
};

std::optional<std::string> PageJson(Place place, const std::vector<QuarantinedRow>& rows,
                                    const std::string& topic, const ReserveList& reserve) {
  List list(reserve);
  int64_t next = 0;
  for (const auto& row : rows) {
    const bool wanted = topic.empty() || row.row.record.topic == topic;
    if (wanted && !list.Add(place, row)) {
      if (next == 0) return std::nullopt;
      break;
    }
    next = row.row.id;
  }
  return list.Finish(next);
}

}  // namespace

std::optional<std::string> ListJson(store::SpoolTable::Page page, const std::string& topic,
                                    const ReserveList& reserve) {
  std::vector<QuarantinedRow> rows;
  for (auto& row : page.rows) rows.push_back(Waiting(std::move(row)));
  for (const int64_t id : page.damaged) {
    QuarantinedRow& damaged = rows.emplace_back();
    damaged.row.id = id;
    damaged.damaged = true;
  }
  std::ranges::sort(rows, {}, [](const QuarantinedRow& row) { return row.row.id; });
  return PageJson(Place::kSpool, rows, topic, reserve);
}

std::optional<std::string> ListJson(const std::vector<QuarantinedRow>& rows,
                                    const std::string& topic, const ReserveList& reserve) {
  return PageJson(Place::kQuarantine, rows, topic, reserve);
}

std::optional<std::string> ListJson(store::Store::Found found, const ReserveList& reserve) {
  List list(reserve);
  for (auto& row : found.spooled)
    if (!list.Add(Place::kSpool, Waiting(std::move(row)))) return std::nullopt;
  for (const auto& row : found.quarantined)
    if (!list.Add(Place::kQuarantine, row)) return std::nullopt;
  return list.Finish(0);
}

}  // namespace outrigger::publish
