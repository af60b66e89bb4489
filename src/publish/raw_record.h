// The record of a POST /v1/topics/{topic}, without routes.
//
// Plain function. Source: contract "Publishing".
#pragma once

#include <string>

#include "base/result.h"
#include "event/event.h"
#include "http/request.h"
#include "publish/ask.h"

namespace outrigger::publish {

// Key, partition, timestamp and tombstone from the query (checked by CheckQuery), headers as `ask`
// has them, the value moved from the body.
base::Result<event::Record> ReadRawRecord(http::Request& request, std::string topic,
                                          const Ask& ask);

}  // namespace outrigger::publish
