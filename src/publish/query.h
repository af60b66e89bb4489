// The query parameters of a request.
//
// Plain functions. Source: contract "Publishing".
#pragma once

#include "base/result.h"
#include "http/request.h"
#include "publish/endpoint.h"

namespace outrigger::publish {

// A parameter that `endpoint` does not take, or that appears twice, is an error; otherwise it would
// be ignored silently.
base::Result<void> CheckQuery(const http::Head& head, const Endpoint& endpoint);

}  // namespace outrigger::publish
