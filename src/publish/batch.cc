#include "publish/batch.h"

#include <algorithm>

#include "event/cloudevents.h"
#include "publish/answer.h"
#include "publish/slice.h"

namespace outrigger::publish {
namespace {

// The usual size of a result, and of the string that holds it.
constexpr uint64_t kUsualResult = 256;
constexpr uint64_t kString = 48;
constexpr uint64_t kStep = 64 << 10;

}  // namespace

Batch::Batch(base::Loop& loop, Publisher& publisher, std::shared_ptr<http::Request> request,
             std::vector<std::string_view> items, Ask ask)
    : loop_(loop),
      publisher_(publisher),
      request_(std::move(request)),
      items_(std::move(items)),
      ask_(std::move(ask)),
      results_(items_.size()),
      undecided_(items_.size()) {
  ask_.sequence = std::make_shared<Sequence>();
}

void Batch::Start() {
  reserved_ = items_.size() * kUsualResult;
  if (!request_->ReserveAnswer(reserved_)) {
    const Rejection full{.reason = RejectionReason::kUnavailable,
                         .outcome = RecordOutcome::kNone,
                         .detail = "too many answers wait to be read",
                         .limit = request_->AnswersLimit()};
    return request_->Answer(ToProblem(full, {}).ToResponse());
  }
  if (items_.empty()) return Answer();
  Work();
}

void Batch::Work() {
  const base::TimePoint end = loop_.Now() + kSlice;
  do {
    Publish(next_++);
  } while (next_ < items_.size() && loop_.Now() < end);
  if (next_ < items_.size()) return loop_.Post([self = shared_from_this()] { self->Work(); });
  items_ = {};
  request_->DropBody();
}

void Batch::Publish(size_t item) {
  const auto on_decided = [self = shared_from_this(), item](const Outcome& outcome) {
    self->OnOutcome(item, outcome);
  };
  auto event = event::FromStructured(publisher_.json(), items_[item]);
  if (event) {
    publisher_.Publish(std::move(*event), ask_, on_decided);
  } else {
    publisher_.RefuseUnread(
        {.reason = RejectionReason::kMalformed, .detail = event.error().message}, on_decided);
  }
}

bool Batch::HasRoomFor(size_t bytes) {
  const uint64_t needed = used_ + bytes + kString + (undecided_ - 1) * (kMaxBrief + kString);
  if (needed <= reserved_) return true;
  if (needed > kMaxAnswer) return false;
  for (const uint64_t more : {std::min(needed + kStep, kMaxAnswer), needed}) {
    if (!request_->ReserveAnswer(more)) continue;
    reserved_ = more;
    return true;
  }
  return false;
}

void Batch::OnOutcome(size_t item, const Outcome& outcome) {
  std::string& result = results_[item];
  AppendJson(result, outcome);
  if (!HasRoomFor(result.size())) {
    result = std::string();
    AppendBrief(result, outcome);
  }
  result.shrink_to_fit();
  used_ += result.size() + kString;
  status_ = std::max(status_, StatusOf(outcome));
  if (--undecided_ == 0) Answer();
}

void Batch::Answer() {
  http::Response response;
  response.status = status_;
  response.body.reserve(used_ + 16);
  response.body = "{\"results\":[";
  for (auto& result : results_) {
    if (&result != &results_.front()) response.body.push_back(',');
    response.body.append(result);
    std::string().swap(result);
  }
  response.body.append("]}");
  if (status_ == 503 || status_ == 429) response.headers.emplace_back("Retry-After", "1");
  ShowPreference(ask_, response);
  request_->Answer(std::move(response));
}

void BatchForm::OnBody(const std::shared_ptr<http::Request>& request) {
  Publisher& publisher = intake_.publisher;
  auto items = event::SplitBatch(publisher.json(), request->body());
  if (!items) {
    base::Error error = std::move(items.error());
    if (error.code != base::Code::kTooLarge) return intake_.RefuseUnread(error, request);
    error.message += ", the most that a batch may have; NDJSON takes any number";
    return publisher.RefuseUnread(
        {.reason = RejectionReason::kTooLarge, .detail = std::move(error.message)},
        AnswerTo(request));
  }
  if (!intake_.Admit(static_cast<double>(items->size()), *request)) return;
  std::make_shared<Batch>(intake_.loop, publisher, request, std::move(*items),
                          *ReadAsk(request->head(), false, intake_.spool))
      ->Start();
}

}  // namespace outrigger::publish
