#include "publish/change_results.h"

#include "base/json_text.h"

namespace outrigger::publish {

ChangeResult ChangeResult::NotThere(int64_t id, Change change) {
  switch (change) {
    case Change::kRequeue:
      return {id, 0, "it is not in the quarantine, or its checksum is wrong"};
    case Change::kDrop:
      return {id, 0, "it does not wait in the spool, or its checksum is wrong"};
    case Change::kDropQuarantined:
      return {id, 0, "it is not in the quarantine"};
  }
  return {id, 0, "it is not there"};
}

std::string ToJson(const std::vector<ChangeResult>& results, Change change) {
  std::string out = "{\"results\":[";
  for (const auto& result : results) {
    if (&result != &results.front()) out.push_back(',');
    out.append("{\"id\":").append(std::to_string(result.id)).append(",\"status\":");
    if (!result.refused.empty()) {
      out.append("\"refused\",\"detail\":").append(base::JsonString(result.refused));
    } else {
      out.append(change == Change::kRequeue ? "\"requeued\"" : "\"dropped\"");
    }
    if (result.now > 0) out.append(",\"now\":").append(std::to_string(result.now));
    out.push_back('}');
  }
  return out + "]}";
}

}  // namespace outrigger::publish
