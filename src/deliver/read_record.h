// A record of Kafka as the event that it carries.
//
// Tolerant: what others wrote can't be corrected here. An attribute that CloudEvents does not allow
// (its name, its time, bytes that are no UTF-8) is a plain header; of attributes that occur twice
// the last counts; a missing id, source or type is that of a plain record. Data is not judged but
// where a rule reads it.
//
// Pure but for the JsonReader, a reused buffer; thread: the deliver flow's. The event owns its
// bytes.
// Source: CloudEvents kafka-protocol-binding 1.0.2, section 3; reference.md "Delivery" for records
// that are no CloudEvents.
#pragma once

#include <string>

#include "event/event.h"
#include "event/json.h"
#include "kafka/consumer.h"

namespace outrigger::deliver {

struct ReadEvent {
  event::Event event;
  // Why no event can be made of the record. `event` then has what could be read of it; an attribute
  // that is empty is not known.
  std::string undecodable = {};
  // Why the data, which says that it is JSON, can't be read by a rule.
  std::string broken_data = {};
};

// In this order:
//   content-type application/cloudevents+json   structured: the value is the event
//   a header ce_specversion, ce_id, ce_source   binary: ce_* headers, content-type, value = data
//   or ce_type
//   anything else, and a null value             plain: type from the JSON object's own `type`, else
//                                               the topic; id topic/partition/offset; source the
//                                               topic; time the record's
// Undecodable are a structured event that is no JSON object or of a format that is not known, and a
// plain record that is no JSON and has no content-type that says otherwise.
// `headers` of the event are the record's without those that are attributes.
ReadEvent ReadRecord(event::JsonReader& json, const kafka::Consumed& record);

// For `mode: raw`: a plain event whose value nobody looks into, with every header.
event::Event RawEvent(const kafka::Consumed& record);

}  // namespace outrigger::deliver
