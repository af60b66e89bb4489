// Outcomes and rejections as HTTP: here, and nowhere else, a reason becomes a status and a problem
// document.
//
// Plain functions. Source: src/publish/README.md, the table of answers.
#pragma once

#include <string>

#include "http/problem.h"
#include "publish/outcome.h"

namespace outrigger::publish {

// The Retry-After of a 503.
inline constexpr int kRetryAfterSeconds = 1;

int StatusOf(RejectionReason reason);
// Of one target alone.
int StatusOf(const Target& target);
// 200 all acked; 202 any that is not on Kafka yet; else the highest failing status.
int StatusOf(const Outcome& outcome);

// `id`: of the event; empty where it is not known.
http::Problem ToProblem(const Rejection& rejection, const std::string& id);
// Of an event that failed: the problem of the target that StatusOf is of.
http::Problem ToProblem(const Outcome& outcome);

// The HTTP answer of a single event, and the event's entry in a batch's `results`.
http::Response ToResponse(const Outcome& outcome);
void AppendJson(std::string& out, const Outcome& outcome);
// The same for an answer that has no room left: less than kMaxBrief bytes.
inline constexpr size_t kMaxBrief = 128;
void AppendBrief(std::string& out, const Outcome& outcome);

}  // namespace outrigger::publish
