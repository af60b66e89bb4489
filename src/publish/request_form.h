// A form of request: how its body becomes events.
//
// Ingress chooses the form when the head has been read, and keeps it in the request until the body
// is complete. Thread: the flow's. Lifetime: shared by the requests of the form; what a
// form is given outlives it.
#pragma once

#include <memory>

#include "base/loop.h"
#include "base/result.h"
#include "http/request.h"
#include "publish/ask.h"
#include "publish/outcome.h"
#include "publish/publisher.h"
#include "publish/rate.h"

namespace outrigger::publish {

// Its OnBody publishes what is in the body.
using RequestForm = http::BodyReader;

// What the forms of publishing have in common.
struct Intake {
  base::Loop& loop;
  Publisher& publisher;
  Rate& rate;
  bool spool;  // there is one

  // False: http.rate does not allow them now, and the request is answered 429.
  bool Admit(double events, http::Request& request) const;
  // Counts and answers a request whose body is no event.
  void RefuseUnread(const base::Error& error, const std::shared_ptr<http::Request>& request) const;
};

// Says that Prefer: respond-async was applied, where it was (RFC 7240, section 3).
void ShowPreference(const Ask& ask, http::Response& response);

OnDecided AnswerTo(const std::shared_ptr<http::Request>& request, const Ask& ask = {});

}  // namespace outrigger::publish
