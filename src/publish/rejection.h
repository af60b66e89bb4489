// Why an event was not published, whatever protocol asked for it.
//
// Plain values. HTTP status and problem document of a rejection are made in answer.h. Source:
// src/publish/README.md, the table of answers.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "kafka/record_sink.h"
#include "telemetry/metrics.h"

namespace outrigger::publish {

enum class RejectionReason {
  kMalformed,     // it can't be read, or its attributes are wrong
  kNoRoute,       // no route takes it
  kConflict,      // its id was published with another body
  kTooLarge,      // for the sidecar, or for its topic
  kInvalid,       // schema, key, topic template, or what Kafka does not take in any try
  kNotSupported,  // it asks for what this version does not have
  // A retry may succeed:
  kUnknownTopic,
  kUnauthorized,
  kTimeout,      // Kafka has not acknowledged it in time
  kUnavailable,  // Kafka is away, a queue is full, or an earlier event of its key failed
  kSpoolFull,    // or its topic's part of the spool
  kDisk,         // the disk is full or fails
};

// Whether Kafka has the record of an event that was rejected.
enum class RecordOutcome {
  kUnsaid,   // the event is rejected for what it says: there is no record
  kNone,     // it was not stored, and will not be
  kUnknown,  // it may be stored, or still become so
};

struct Rejection {
  RejectionReason reason = RejectionReason::kInvalid;
  RecordOutcome outcome = RecordOutcome::kUnsaid;
  std::string detail = {};                                       // what happened and what to do
  std::vector<std::pair<std::string, std::string>> errors = {};  // JSON pointer, message
  std::string limit = {};                                        // the config field that was hit

  // The same event may succeed later; until then, later events of its key have to wait.
  bool retryable() const;
};

inline constexpr char kNoDisk[] = "ack: disk needs a spool, and spool.path is not set";
inline constexpr char kOtherBody[] = "this id was published with another body";

Rejection ToRejection(const kafka::Refusal& refusal);
telemetry::ProducerReason MetricReason(RejectionReason reason);

}  // namespace outrigger::publish
