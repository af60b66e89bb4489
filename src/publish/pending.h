// An event whose records are on their way to Kafka, until each of them is decided.
//
// Thread: the flow's. Owned by EventSender; its address is stable.
#pragma once

#include <list>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "publish/outcome.h"
#include "publish/outgoing_record.h"
#include "publish/sequence.h"
#include "publish/waiting_callers.h"

namespace outrigger::publish {

class EventSender;
struct KnownEvent;

struct Pending {
  EventSender* sender = nullptr;
  std::list<Pending>::iterator self;  // in the sender's list
  Outcome outcome;
  std::vector<Destination> destinations;  // one for each target
  CallerQueue callers;                    // who wait for its outcome
  size_t undecided = 0;                   // records that the producer has
  base::TimePoint accepted;
  KnownEvent* known = nullptr;  // null: its id is not the caller's
  std::shared_ptr<Sequence> sequence;
};

}  // namespace outrigger::publish
