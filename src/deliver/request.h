// One attempt at an event as the HTTP call that carries it to the app.
//
// Pure. A HandlerPath is compiled once from the config and immutable. Nothing of an event reaches
// the call unescaped: places in the path are percent-encoded and can't climb out of it, values of
// headers are percent-encoded as CloudEvents say, so no event can write a header or a path of its
// own.
//
// Thread: the deliver flow's. Lifetimes: a call owns its bytes.
// Source: CloudEvents http-protocol-binding 1.0.2, section 3.1.3.2 and 3.2; RFC 3986 section 2.3
// and 5.2.4; reference.md "Delivery".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/problem.h"
#include "event/event.h"
#include "event/template.h"
#include "http/client.h"
#include "kafka/consumer.h"

namespace outrigger::deliver {

enum class Mode {
  kBinary,      // ce-* headers, body = the data's bytes unchanged
  kStructured,  // body = application/cloudevents+json
  kRaw,         // body = the record's value, no ce-* headers, every Kafka header as kafka-<name>
};

// The path of deliver.url, "/h/{type}?id={id}".
class HandlerPath {
 public:
  static HandlerPath Compile(const config::Text& from, std::vector<config::Problem>& problems);

  // An error when a place has no value in the event (kNotFound), or the value would make a segment
  // "." or ".." (kInvalid). The same event fails again: it is for the dead letter topic.
  base::Result<std::string> Render(const event::Event& event) const;

 private:
  struct Piece {
    event::Template text;
    bool place;
  };
  std::vector<Piece> pieces_;
};

struct Attempt {
  const kafka::Consumed& record;
  const event::Event& event;  // of that record: ReadRecord, or RawEvent where the mode is raw
  std::string_view subscription;
  uint32_t number = 1;   // which one it is, from 1
  bool redrive = false;  // from a dead letter topic
  bool replay = false;   // of a past stretch
  // Globs of the Kafka headers that go along, those of tracing aside; null: all.
  const std::vector<std::string>* kafka_headers = nullptr;
};

// The call, without its time-out. An error where HandlerPath::Render has one.
base::Result<http::Call> MakeCall(const HandlerPath& path, Mode mode, const Attempt& attempt);

// Section 3.1.3.2: blank, '"', '%' and every byte outside of U+0021 to U+007E.
std::string EncodeHeaderValue(std::string_view value);

}  // namespace outrigger::deliver
