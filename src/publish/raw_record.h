// POST /v1/topics/{topic}: a raw record, without routes.
//
// Thread: the flow's. Source: src/publish/README.md, "Raw records".
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "event/event.h"
#include "http/request.h"
#include "publish/ask.h"
#include "publish/request_form.h"

namespace outrigger::publish {

// Key, partition, timestamp and tombstone from the query (checked by CheckQuery), headers as `ask`
// has them, the value moved from the body.
base::Result<event::Record> ReadRawRecord(http::Request& request, std::string topic,
                                          const Ask& ask);

// The glob that allows raw records to `topic`, or null.
const std::string* AllowingGlob(const std::vector<std::string>& globs, std::string_view topic);
// What a caller is told where none does.
std::string RawTopicNotAllowed(const std::string& topic);

class RawRecordForm : public RequestForm {
 public:
  // `globs`: http.rawTopics, as they are at the time of each request.
  RawRecordForm(Intake intake, const std::vector<std::string>& globs)
      : intake_(intake), globs_(globs) {}

  void OnBody(const std::shared_ptr<http::Request>& request) override;

 private:
  const Intake intake_;
  const std::vector<std::string>& globs_;
};

}  // namespace outrigger::publish
