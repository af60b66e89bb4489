// What happens to an exception that nobody handles: the process ends, and says so.
//
// A flow that an exception interrupts may be half changed: a record that was counted and not kept,
// a place in a queue that never becomes free. To continue could lose an event silently. An exit at
// any instant loses nothing, and the container is started again. Exceptions that are expected are
// handled in the room that uses the library.
//
// Thread: any. Source: std::set_terminate; EX_SOFTWARE of sysexits.h.
#pragma once

namespace outrigger::app {

// From here on an unhandled exception of any thread is logged with its text, its thread and a
// stack trace, and ends the process with exit code 70.
void EndOnUnexpectedException();

}  // namespace outrigger::app
