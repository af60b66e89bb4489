// A record of Kafka as the event that it carries.
//
// Pure but for the JsonReader, a reused buffer; thread: the deliver flow's. The event owns its
// bytes. What says that it is JSON and is not, or names its attributes twice, is an error
// (Code::kInvalid), not an event that no rule matches: the first is seen in the dead letter topic,
// the second would vanish.
// Source: CloudEvents kafka-protocol-binding 1.0.2, section 3; reference.md "Delivery" for records
// that are no CloudEvents.
#pragma once

#include "base/result.h"
#include "event/event.h"
#include "event/json.h"
#include "kafka/consumer.h"

namespace outrigger::deliver {

// In this order:
//   content-type application/cloudevents+json   structured: the value is the event
//   a header ce_specversion                     binary: ce_* headers, content-type, value = data
//   anything else                               plain: type from the JSON object's own `type`, else
//                                               the topic; id topic/partition/offset; source the
//                                               topic; time the record's. Without a content-type
//                                               the value must be JSON.
// `headers` of the event are the record's without those that are attributes. A value of no bytes is
// no data.
base::Result<event::Event> ReadRecord(event::JsonReader& json, const kafka::Consumed& record);

// For `mode: raw`: a plain event whose value nobody looks into, with every header. Never fails.
event::Event RawEvent(const kafka::Consumed& record);

}  // namespace outrigger::deliver
