#include "publish/rejection.h"

namespace outrigger::publish {
namespace {

RejectionReason ReasonOf(kafka::Reason reason) {
  switch (reason) {
    case kafka::Reason::kTooLarge:
      return RejectionReason::kTooLarge;
    case kafka::Reason::kUnknownTopic:
      return RejectionReason::kUnknownTopic;
    case kafka::Reason::kUnauthorized:
      return RejectionReason::kUnauthorized;
    case kafka::Reason::kTimeout:
      return RejectionReason::kTimeout;
    case kafka::Reason::kInvalid:
      return RejectionReason::kInvalid;
    case kafka::Reason::kBroker:
    case kafka::Reason::kQueueFull:
      break;
  }
  return RejectionReason::kUnavailable;
}

}  // namespace

bool Rejection::retryable() const {
  switch (reason) {
    case RejectionReason::kMalformed:
    case RejectionReason::kNoRoute:
    case RejectionReason::kConflict:
    case RejectionReason::kTooLarge:
    case RejectionReason::kInvalid:
    case RejectionReason::kNotSupported:
      return false;
    case RejectionReason::kUnknownTopic:
    case RejectionReason::kUnauthorized:
    case RejectionReason::kTimeout:
    case RejectionReason::kUnavailable:
    case RejectionReason::kSpoolFull:
    case RejectionReason::kDisk:
      break;
  }
  return true;
}

Rejection ToRejection(const kafka::Refusal& refusal) {
  Rejection rejection;
  rejection.reason = ReasonOf(refusal.reason);
  rejection.outcome = refusal.possibly_stored ? RecordOutcome::kUnknown : RecordOutcome::kNone;
  rejection.detail = refusal.error.message;
  if (!refusal.error.hint.empty()) rejection.detail += "; " + refusal.error.hint;
  if (refusal.memory) {
    rejection.limit = "memory.budget";
  } else if (rejection.reason == RejectionReason::kTooLarge) {
    rejection.limit = "max.message.bytes";
  }
  return rejection;
}

telemetry::ProducerReason MetricReason(RejectionReason reason) {
  using telemetry::ProducerReason;
  switch (reason) {
    case RejectionReason::kNoRoute:
      return ProducerReason::kNoRoute;
    case RejectionReason::kTooLarge:
      return ProducerReason::kTooLarge;
    case RejectionReason::kUnknownTopic:
      return ProducerReason::kUnknownTopic;
    case RejectionReason::kUnauthorized:
      return ProducerReason::kUnauthorized;
    case RejectionReason::kTimeout:
      return ProducerReason::kTimeout;
    case RejectionReason::kUnavailable:
      return ProducerReason::kBroker;
    case RejectionReason::kSpoolFull:
      return ProducerReason::kSpoolFull;
    case RejectionReason::kDisk:
      return ProducerReason::kDisk;
    case RejectionReason::kMalformed:
    case RejectionReason::kConflict:
    case RejectionReason::kInvalid:
    case RejectionReason::kNotSupported:
      break;
  }
  return ProducerReason::kInvalid;
}

}  // namespace outrigger::publish
