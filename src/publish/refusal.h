// Refusals as HTTP problems and as labels of the metrics.
//
// Plain functions. Source: contract "Publishing", the table of answers.
#pragma once

#include <string>

#include "http/problem.h"
#include "kafka/producer.h"
#include "telemetry/metrics.h"

namespace outrigger::publish {

// The Retry-After of a 503.
inline constexpr int kRetryAfterSeconds = 1;
inline constexpr char kNoDisk[] = "ack: disk is not in this version; use kafka or memory";

http::Problem MakeProblem(int status, std::string id, std::string detail);
// The answer for an event that the producer refused.
http::Problem ToProblem(const kafka::Refusal& refusal, const std::string& id);
telemetry::ProducerReason MetricReason(kafka::Reason reason);

}  // namespace outrigger::publish
