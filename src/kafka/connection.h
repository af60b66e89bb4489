// What a client knows about its brokers.
#pragma once

#include <string>

#include "base/clock.h"

namespace outrigger::kafka {

struct Connection {
  bool connected = false;  // at least one broker was reached and not all are down since
  base::TimePoint since;   // of `connected`'s present value
  std::string last_error;  // of the last failed try: broker and reason; while connected empty, or
                           // what the group or a topic refuses
  std::string refusal;     // why the cluster, or a topic by name, takes no record from a producer
  bool refused = false;    // it is the cluster, and takes none at all
};

}  // namespace outrigger::kafka
