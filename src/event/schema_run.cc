#include "event/schema_run.h"

#include <algorithm>

#include "base/json_text.h"

namespace outrigger::event {
namespace {

constexpr size_t kMaxPointer = 200;

}  // namespace

std::string Excerpt(std::string_view text, size_t most) {
  size_t end = 0;
  for (size_t i = 0; i < most && end < text.size(); ++i)
    end += std::max<size_t>(base::Utf8Length(text.substr(end)), 1);
  if (end >= text.size()) return std::string(text);
  return std::string(text.substr(0, end)) + "…";
}

std::string Shown(JsonNode value) {
  if (value.kind() == JsonKind::kString) return "\"" + Excerpt(value.text()) + "\"";
  return Excerpt(value.text());
}

void Evaluated::Add(const Evaluated& other) {
  for (size_t i = 0; i < seen_.size(); ++i)
    if (other.seen_[i]) seen_[i] = true;
}

bool SchemaRun::Step(size_t cost) {
  if (stopped_) return false;
  if (cost <= steps_) {
    steps_ -= cost;
    return true;
  }
  Stop("checking this takes more than the limit of " + std::to_string(kMaxSchemaSteps) +
       " validation steps an event; send smaller events, or make the schema simpler");
  return false;
}

void SchemaRun::Stop(std::string message) {
  stopped_ = true;
  // This error replaces the last one of a full list: it is always reported.
  if (verdict_.violations.size() == kMaxViolations) verdict_.violations.pop_back();
  verdict_.violations.push_back({Pointer(), std::move(message)});
}

void SchemaRun::Report(std::string message) {
  if (verdict_.violations.size() == kMaxViolations) {
    verdict_.more = true;
    return;
  }
  verdict_.violations.push_back({Pointer(), std::move(message)});
}

std::string SchemaRun::Pointer() const {
  std::string pointer;
  for (const Part& part : path_) {
    if (pointer.size() > kMaxPointer * 4) break;
    pointer += '/';
    if (part.parent.kind() == JsonKind::kArray) {
      pointer += std::to_string(part.index);
      continue;
    }
    for (const char c : part.parent[part.index].name().substr(0, kMaxPointer * 4)) {
      if (c == '~') {
        pointer += "~0";
      } else if (c == '/') {
        pointer += "~1";
      } else {
        pointer += c;
      }
    }
  }
  return Excerpt(pointer, kMaxPointer);
}

SchemaRun::Inside::Inside(SchemaRun& run, const SchemaResource* resource)
    : run_(run), entered_(run.scope_.empty() || run.scope_.back() != resource) {
  if (entered_) run.scope_.push_back(resource);
  if (++run.depth_ > kMaxSchemaDepth && !run.stopped_)
    run.Stop("the schema refers to itself more than the limit of " +
             std::to_string(kMaxSchemaDepth) + " levels here");
}

SchemaRun::Inside::~Inside() {
  --run_.depth_;
  if (entered_) run_.scope_.pop_back();
}

}  // namespace outrigger::event
