// GET /v1/events/{id}: what became of an event.
//
// Source: contract, "Publishing". Thread: the flow's.
#pragma once

#include "publish/request_form.h"

namespace outrigger::publish {

class EventStatus : public RequestForm {
 public:
  explicit EventStatus(Publisher& publisher) : publisher_(publisher) {}

  void OnBody(const std::shared_ptr<http::Request>& request) override;

 private:
  Publisher& publisher_;
};

}  // namespace outrigger::publish
