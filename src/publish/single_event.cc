#include "publish/single_event.h"

#include <string>
#include <utility>
#include <vector>

#include "event/cloudevents.h"
#include "event/data.h"
#include "publish/endpoint.h"

namespace outrigger::publish {
namespace {

std::vector<event::HttpField> Fields(const http::Head& head) {
  std::vector<event::HttpField> fields;
  fields.reserve(head.fields.size());
  for (const auto& field : head.fields) fields.push_back({field.name, field.value});
  return fields;
}

base::Result<void> CheckData(event::JsonReader& json, event::Event& event) {
  if (!event.data || !event.data_is_json) return {};
  return event::CheckJson(json, event);
}

}  // namespace

base::Result<event::Event> ReadEnvelope(event::JsonReader& json, http::Request& request) {
  return event::FromEnvelope(json, request.body());
}

base::Result<event::Event> ReadStructured(event::JsonReader& json, http::Request& request) {
  return event::FromStructured(json, request.body());
}

base::Result<event::Event> ReadBinary(event::JsonReader& json, http::Request& request) {
  auto event = event::FromHttpBinary(Fields(request.head()), std::move(request.body()), true);
  if (!event) return event;
  if (auto valid = CheckData(json, *event); !valid) return base::Fail(valid.error());
  return event;
}

base::Result<event::Event> ReadTyped(event::JsonReader& json, http::Request& request) {
  const http::Head& head = request.head();
  auto event = event::FromHttpBinary(Fields(head), std::move(request.body()), false);
  if (!event) return event;
  // Without a Content-Type the data is taken for JSON, as CloudEvents' own JSON format does.
  if (event->data && event->datacontenttype.empty()) {
    event->datacontenttype = "application/json";
    event->data_is_json = true;
  }
  if (auto valid = CheckData(json, *event); !valid) return base::Fail(valid.error());
  event->type = kTypeEndpoint.Argument(head.path);
  if (const std::string* key = head.Query("key")) event->key = *key;
  if (const std::string* id = head.Query("id")) event->id = *id;
  if (const std::string* version = head.Query("version")) event->version = *version;
  if (const std::string* subject = head.Query("subject")) event->subject = *subject;
  return event;
}

void SingleEvent::OnBody(const std::shared_ptr<http::Request>& request) {
  if (!intake_.Admit(1, *request)) return;
  auto event = read_(intake_.publisher.json(), *request);
  request->DropBody();  // the event has what it needs of it
  if (!event) return intake_.RefuseUnread(event.error(), request);
  const Ask ask = *ReadAsk(request->head(), false, intake_.spool);
  intake_.publisher.Publish(std::move(*event), ask, AnswerTo(request, ask));
}

}  // namespace outrigger::publish
