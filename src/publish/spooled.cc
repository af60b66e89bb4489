#include "publish/spooled.h"

#include <chrono>

#include "publish/known_events.h"
#include "publish/pending.h"

namespace outrigger::publish {

store::Row RowOf(event::Record record, const Pending& event, size_t index, base::WallTime now) {
  store::Row row;
  row.event_id = event.outcome.id;
  row.target = static_cast<int32_t>(index);
  if (event.known) {
    row.source = KnownEvents::SourceOf(event.known->name);
    row.fingerprint = event.known->fingerprint;
  }
  row.record = std::move(record);
  row.dead_letter = event.destinations[index].dead_letter;
  row.accepted_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  return row;
}

}  // namespace outrigger::publish
