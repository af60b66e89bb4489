// Several events in one request, each with its own result: a CloudEvents batch.
//
// Thread: the flow's. Lifetime: shared by the request and its undecided events.
#pragma once

#include <memory>
#include <vector>

#include "base/result.h"
#include "event/event.h"
#include "http/request.h"
#include "publish/publisher.h"

namespace outrigger::publish {

// Publishes the items of an application/cloudevents-batch+json body in order and answers
// {"results":[…]}.
void PublishBatch(Publisher& publisher, const std::shared_ptr<http::Request>& request,
                  const std::vector<std::string_view>& items, Ask ask);

}  // namespace outrigger::publish
