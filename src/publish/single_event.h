// Requests with one event: an envelope, a CloudEvent in structured or binary mode, or the data
// alone with its type in the path.
//
// Thread: the flow's. Source: src/publish/README.md, "Requests".
#pragma once

#include <memory>

#include "base/result.h"
#include "event/event.h"
#include "event/json.h"
#include "http/request.h"
#include "publish/request_form.h"

namespace outrigger::publish {

// The event of a request, whose body may be moved from.
using ReadEvent = base::Result<event::Event> (*)(event::JsonReader& json, http::Request& request);

base::Result<event::Event> ReadEnvelope(event::JsonReader& json, http::Request& request);
base::Result<event::Event> ReadStructured(event::JsonReader& json, http::Request& request);
// The attributes are `ce-*` headers.
base::Result<event::Event> ReadBinary(event::JsonReader& json, http::Request& request);
// POST /v1/events/{type}.
base::Result<event::Event> ReadTyped(event::JsonReader& json, http::Request& request);

class SingleEvent : public RequestForm {
 public:
  SingleEvent(Intake intake, ReadEvent read) : intake_(intake), read_(read) {}

  void OnBody(const std::shared_ptr<http::Request>& request) override;

 private:
  const Intake intake_;
  const ReadEvent read_;
};

}  // namespace outrigger::publish
