// The record of a POST /v1/topics/{topic}: bytes past all rules.
//
// Plain function. Source: contract "Publishing".
#pragma once

#include <string>

#include "base/result.h"
#include "event/event.h"
#include "http/request.h"

namespace outrigger::publish {

// Key and partition from the query (checked by CheckQuery), headers from kafka-<name>, the value
// moved from the body.
base::Result<event::Record> ReadRawRecord(http::Request& request, std::string topic);

}  // namespace outrigger::publish
