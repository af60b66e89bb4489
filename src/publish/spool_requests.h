// The requests about the spool: what waits in it and what is in its quarantine, page by page, and
// changes by hand.
//
// Thread: the flow's. Lifetime: outlived by the spool. Source: src/publish/README.md, "The spool".
#pragma once

#include <memory>

#include "event/json.h"
#include "publish/request_form.h"
#include "publish/spool.h"

namespace outrigger::publish {

class SpoolRequests : public RequestForm {
 public:
  using SharedRequest = std::shared_ptr<http::Request>;

  SpoolRequests(Spool& spool, event::JsonReader& json) : spool_(spool), json_(json) {}

  // As its endpoint says.
  void OnBody(const SharedRequest& request) override;

 private:
  void List(const SharedRequest& request, bool quarantined);
  void Find(const SharedRequest& request);
  void ApplyChange(const SharedRequest& request);

  Spool& spool_;
  event::JsonReader& json_;
};

}  // namespace outrigger::publish
