#include "publish/batch.h"

#include <algorithm>

#include "event/cloudevents.h"
#include "publish/refusal.h"

namespace outrigger::publish {
namespace {

struct Batch {
  std::shared_ptr<http::Request> request;
  std::vector<Outcome> outcomes;
  size_t undecided;

  void Decide() {
    if (--undecided > 0) return;
    http::Response response;
    response.body = "{\"results\":[";
    for (const auto& outcome : outcomes) {
      if (&outcome != &outcomes.front()) response.body.push_back(',');
      outcome.AppendJson(response.body);
      response.status = std::max(response.status, outcome.code());
    }
    response.body.append("]}");
    if (response.status == 503 || response.status == 429)
      response.headers.emplace_back("Retry-After", "1");
    request->Answer(std::move(response));
  }
};

}  // namespace

void PublishBatch(Publisher& publisher, const std::shared_ptr<http::Request>& request,
                  const std::vector<std::string_view>& items, Ask ask) {
  auto batch = std::make_shared<Batch>();
  batch->request = request;
  batch->outcomes.resize(items.size());
  batch->undecided = items.size() + 1;  // this call
  ask.sequence = std::make_shared<Sequence>();
  for (size_t i = 0; i < items.size(); ++i) {
    const auto on_decided = [batch, i](const Outcome& outcome) {
      batch->outcomes[i] = outcome;
      batch->Decide();
    };
    auto event = event::FromStructured(publisher.json(), items[i]);
    if (event) {
      publisher.Publish(std::move(*event), ask, on_decided);
    } else {
      publisher.RefuseUnread(MakeProblem(400, {}, event.error().message), on_decided);
    }
  }
  request->DropBody();
  batch->Decide();
}

}  // namespace outrigger::publish
