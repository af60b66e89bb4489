#include "publish/event_router.h"

#include <utility>

#include "event/data.h"

namespace outrigger::publish {
namespace {

// The topics that get their series before their first event.
constexpr size_t kEagerSeries = 256;

}  // namespace

void EventRouter::SetRoutes(std::shared_ptr<const Routes> routes) {
  routes_ = std::move(routes);
  topics_.Keep(routes_->rules());
  for (const auto& rule : routes_->rules()) {
    if (rule.index == kEagerSeries) break;
    series_.Of(rule.topic.text());
  }
}

base::Result<std::vector<const Rule*>> EventRouter::Select(const event::Event& event) const {
  event::Data data(event);
  return routes_->Select(event, data);
}

tl::expected<std::vector<OutgoingRecord>, EventRouter::RuleRefused> EventRouter::Prepare(
    const std::vector<const Rule*>& rules, event::Event event, const Ask& ask, base::WallTime now) {
  std::vector<OutgoingRecord> records;
  records.reserve(rules.size());
  for (const Rule* rule : rules) {
    const bool last = rule == rules.back();
    // NOLINTNEXTLINE(bugprone-use-after-move): the last rule alone gets it
    auto record = PrepareOne(*rule, last ? std::move(event) : event, ask, now);
    if (!record) return tl::unexpected(RuleRefused{rule, std::move(record.error())});
    records.push_back(std::move(*record));
  }
  return records;
}

tl::expected<OutgoingRecord, Refused> EventRouter::PrepareOne(const Rule& rule, event::Event event,
                                                              const Ask& ask, base::WallTime now) {
  const auto& series = series_.Of(rule.topic.text());
  auto prepared = publish::Prepare(rule, std::move(event), now);
  if (!prepared) return tl::unexpected(std::move(prepared.error()));
  if (std::string over = topics_.Take(rule, prepared->record.topic); !over.empty()) {
    return tl::unexpected(Refused{{.reason = RejectionReason::kInvalid,
                                   .detail = std::move(over),
                                   .limit = rule.path + ".maxTopics"}});
  }
  if (rule.key && !prepared->keyed) series.unkeyed.Increment();
  return OutgoingRecord{std::move(prepared->record), {&series, rule.dead_letter}, AckOf(rule, ask)};
}

}  // namespace outrigger::publish
