#include "publish/explain.h"

#include <algorithm>
#include <chrono>

#include "base/json_text.h"
#include "event/cloudevents.h"
#include "publish/answer.h"
#include "publish/prepare.h"
#include "publish/routes.h"

namespace outrigger::publish {
namespace {

// The most routes without a match that are listed one by one.
constexpr size_t kMaxWhyNot = 50;

struct Step {
  const Rule* rule;
  tl::expected<Prepared, Refused> prepared;
  std::string schema;  // the file, or why there is none
};

struct Findings {
  event::Event event;
  std::vector<Step> steps;
  std::vector<std::pair<const Rule*, std::string>> others;
  size_t more = 0;  // rules beyond kMaxWhyNot
};

base::Result<event::Event> ReadEvent(event::JsonReader& json, std::string_view text) {
  auto members = json.Members(text);
  if (!members) return base::Fail(members.error());
  const bool cloud_event = std::any_of(members->begin(), members->end(), [](const auto& member) {
    return member.name == "specversion";
  });
  return cloud_event ? event::FromStructured(json, text) : event::FromEnvelope(json, text);
}

std::string SchemaOf(const Rule& rule, const event::Event& event) {
  if (!rule.schemas) return "none: the route has no schemas";
  const std::string version = event.version.empty() ? rule.version : event.version;
  const std::string file = rule.schemas->FileFor(event.type, version);
  return file.empty() ? "none for this type and version " + version : file;
}

base::Result<void> Investigate(const Routes& routes, Findings& findings) {
  event::Data data(findings.event);
  auto selected = routes.Select(findings.event, data);
  if (!selected) return base::Fail(selected.error());
  for (const Rule* rule : *selected) {
    findings.steps.push_back({rule,
                              Prepare(*rule, findings.event, std::chrono::system_clock::now()),
                              SchemaOf(*rule, findings.event)});
  }
  const size_t stopped_at = !selected->empty() && !selected->back()->continues
                                ? selected->back()->index
                                : routes.rules().size();
  for (const auto& rule : routes.rules()) {
    if (std::find(selected->begin(), selected->end(), &rule) != selected->end()) continue;
    if (findings.others.size() == kMaxWhyNot) {
      ++findings.more;
      continue;
    }
    auto why = rule.match.WhyNot(findings.event, data);
    if (!why) return base::Fail(why.error());
    if (rule.index > stopped_at)
      *why = "not asked: routes[" + std::to_string(stopped_at) + "] took it first";
    findings.others.emplace_back(&rule, std::move(*why));
  }
  return {};
}

std::string KeyText(const Prepared& prepared) {
  return prepared.record.key ? *prepared.record.key
                             : "none: order is not kept, partitions are chosen at random";
}

std::string AsText(const Findings& findings) {
  std::string out;
  const auto line = [&out](const std::string& name, const std::string& value) {
    out.append(name)
        .append(name.size() < 10 ? 10 - name.size() : 1, ' ')
        .append(value)
        .append("\n");
  };
  const event::Event& event = findings.event;
  line("event", event.type + "  id=" + event.id + "  source=" + event.source);
  if (findings.steps.empty()) line("rule", "none takes it: a publish would be answered 404");
  for (const auto& step : findings.steps) {
    line("rule",
         step.rule->path + " takes it" +
             (step.rule->continues ? "; continue: true, so the routes below are tried, too" : ""));
    if (step.prepared) {
      line("  topic", step.prepared->record.topic);
      line("  key", KeyText(*step.prepared));
      if (step.rule->timestamp == config::RecordTime::kEvent) line("  time", event.time);
      for (const auto& header : step.prepared->record.headers)
        line("  header", header.name + ": " + header.value.value_or("null"));
    } else {
      const Rejection& rejection = step.prepared.error().rejection;
      line("  refused", std::to_string(StatusOf(rejection.reason)) + " " + rejection.detail);
      for (const auto& [pointer, message] : rejection.errors)
        line("  at", (pointer.empty() ? "(the data)" : pointer) + ": " + message);
    }
    line("  schema", step.schema);
  }
  for (const auto& [rule, why] : findings.others) line("not", rule->path + ": " + why);
  if (findings.more > 0) line("not", std::to_string(findings.more) + " more rules");
  return out;
}

std::string AsJson(const Findings& findings) {
  const auto text = [](const std::string& value) { return base::JsonString(value); };
  const event::Event& event = findings.event;
  std::string out = "{\"type\":" + text(event.type) + ",\"id\":" + text(event.id) +
                    ",\"source\":" + text(event.source) + ",\"rules\":[";
  for (const auto& step : findings.steps) {
    if (&step != &findings.steps.front()) out += ',';
    out += "{\"rule\":" + text(step.rule->path) + ",\"schema\":" + text(step.schema);
    if (step.prepared) {
      const event::Record& record = step.prepared->record;
      out += ",\"topic\":" + text(record.topic);
      out += ",\"key\":" + (record.key ? text(*record.key) : std::string("null"));
      if (record.timestamp_ms > 0) out += ",\"timestamp\":" + std::to_string(record.timestamp_ms);
      out += ",\"headers\":{";
      for (const auto& header : record.headers) {
        if (&header != &record.headers.front()) out += ',';
        out += text(header.name) + ":" + (header.value ? text(*header.value) : std::string("null"));
      }
      out += "}}";
    } else {
      out += ",\"problem\":" + ToProblem(step.prepared.error().rejection, event.id).Json() + "}";
    }
  }
  out += "],\"others\":[";
  for (const auto& other : findings.others) {
    if (&other != &findings.others.front()) out += ',';
    out += "{\"rule\":" + text(other.first->path) + ",\"because\":" + text(other.second) + "}";
  }
  return out + "]}\n";
}

}  // namespace

std::vector<config::Problem> Check(const config::Config& config) {
  std::vector<config::Problem> problems;
  Routes::Build(config, problems);
  return problems;
}

base::Result<Explanation> Explain(const config::Config& config, std::string_view event_json,
                                  bool as_json) {
  std::vector<config::Problem> problems;
  const auto routes = Routes::Build(config, problems);
  for (const auto& problem : problems)
    if (problem.severity == config::Problem::Severity::kError)
      return base::Fail(
          base::Error::Invalid(problem.text(), "`outrigger check` lists every problem"));

  event::JsonReader json;
  Findings findings;
  auto event = ReadEvent(json, event_json);
  if (!event) return base::Fail(event.error());
  findings.event = std::move(*event);
  const auto now = std::chrono::system_clock::now();
  if (auto complete = Complete(findings.event, config.kafka.client_id, now); !complete)
    return base::Fail(complete.error());
  if (auto legal = event::CheckAttributes(findings.event); !legal) return base::Fail(legal.error());
  if (auto text = event::CheckAttributeValues(findings.event); !text)
    return base::Fail(text.error());
  if (auto done = Investigate(*routes, findings); !done) return base::Fail(done.error());
  Explanation explanation;
  explanation.text = as_json ? AsJson(findings) : AsText(findings);
  explanation.accepted = !findings.steps.empty() &&
                         std::all_of(findings.steps.begin(), findings.steps.end(),
                                     [](const Step& step) { return step.prepared.has_value(); });
  return explanation;
}

}  // namespace outrigger::publish
