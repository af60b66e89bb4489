// The routes in force, and what they make of an event: a record for each route that takes it, or
// the reason why it is refused.
//
// Thread: the flow's. Sends nothing.
#pragma once

#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "event/event.h"
#include "publish/ask.h"
#include "publish/outgoing_record.h"
#include "publish/prepare.h"
#include "publish/routes.h"
#include "publish/topic_budget.h"
#include "publish/topic_series.h"

namespace outrigger::publish {

// When the caller of the event is answered for what `rule` makes of it.
inline config::Ack AckOf(const Rule& rule, const Ask& ask) { return ask.ack.value_or(rule.ack); }

class EventRouter {
 public:
  // `series` outlives it.
  explicit EventRouter(TopicSeries& series) : series_(series) {}

  // Must be called before the others.
  void SetRoutes(std::shared_ptr<const Routes> routes);

  // The rules that take the event; they are valid until SetRoutes. An error: it is malformed.
  base::Result<std::vector<const Rule*>> Select(const event::Event& event) const;

  // A record for each of `rules`, in their order. What one rule refuses is refused whole.
  struct RuleRefused {
    const Rule* rule;
    Refused refused;
  };
  tl::expected<std::vector<OutgoingRecord>, RuleRefused> Prepare(
      const std::vector<const Rule*>& rules, event::Event event, const Ask& ask,
      base::WallTime now);

 private:
  tl::expected<OutgoingRecord, Refused> PrepareOne(const Rule& rule, event::Event event,
                                                   const Ask& ask, base::WallTime now);

  TopicSeries& series_;
  std::shared_ptr<const Routes> routes_;
  TopicBudget topics_;
};

}  // namespace outrigger::publish
