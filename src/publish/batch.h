// Several events in one request, each with its own result: a CloudEvents batch.
//
// Thread: the flow's. Lifetime: shared by the request, its undecided events and the loop while
// items are left: they are worked on in slices, so that others are served in between.
//
// Promise: the answer has a result for every item. It is counted in the budget of answers from the
// start; where that has no room, nothing is published. What a result says beyond its status is left
// out of those that come to be too much: see kMaxAnswer.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/loop.h"
#include "http/request.h"
#include "publish/publisher.h"
#include "publish/request_form.h"

namespace outrigger::publish {

class Batch : public std::enable_shared_from_this<Batch> {
 public:
  // So large an answer can become.
  static constexpr uint64_t kMaxAnswer = 4 << 20;

  // `items` are views into the request's body.
  Batch(base::Loop& loop, Publisher& publisher, std::shared_ptr<http::Request> request,
        std::vector<std::string_view> items, Ask ask);

  // Publishes the items in order and answers {"results":[…]}.
  void Start();

 private:
  void Work();
  void Publish(size_t item);
  void OnOutcome(size_t item, const Outcome& outcome);
  // Whether a result of that size can be kept, and those that are still to come with it.
  bool HasRoomFor(size_t bytes);
  void Answer();

  base::Loop& loop_;
  Publisher& publisher_;
  const std::shared_ptr<http::Request> request_;
  std::vector<std::string_view> items_;
  Ask ask_;
  size_t next_ = 0;
  std::vector<std::string> results_;
  size_t undecided_;
  int status_ = 200;
  uint64_t used_ = 0;  // by the results, of what is reserved
  uint64_t reserved_ = 0;
};

// POST /v1/events with application/cloudevents-batch+json. Thread: the flow's.
class BatchForm : public RequestForm {
 public:
  explicit BatchForm(Intake intake) : intake_(intake) {}

  void OnBody(const std::shared_ptr<http::Request>& request) override;

 private:
  const Intake intake_;
};

}  // namespace outrigger::publish
