// The client that a consumer has at the moment, its events, and questions to it that block.
//
// Thread: the loop's; questions run on a side thread, their answers come on the loop. Lifetime: no
// call, answer or event comes after Stop, which waits for the question under way, a second or two.
// A question keeps the client that it asks, also when another one is used meanwhile.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "base/loop.h"
#include "base/loop_calls.h"
#include "base/side_thread.h"
#include "base/wakeup.h"
#include "kafka/consumer.h"

namespace outrigger::kafka {

class ConsumerClient {
 public:
  // A question that is asked again and again: one at a time, and not before `next`.
  struct Pace {
    base::TimePoint next{};
    bool under_way = false;
  };

  // `on_events` polls the queue until it is empty.
  ConsumerClient(base::Loop& loop, std::function<void()> on_events);
  ConsumerClient(const ConsumerClient&) = delete;
  ConsumerClient& operator=(const ConsumerClient&) = delete;
  ~ConsumerClient() { Stop(); }

  void Use(std::shared_ptr<ConsumerHandle> handle);
  void Stop();

  base::Loop& loop() { return loop_; }
  base::TimePoint Now() const { return loop_.Now(); }
  const std::shared_ptr<ConsumerHandle>& handle() const { return handle_; }
  rd_kafka_t* rk() const { return handle_->rk(); }
  // As the last fetch saw them; -1: not known.
  Consumer::Watermarks FetchedOffsets(const TopicPartition& at) const;

  template <typename Call>
  void Post(Call call) {
    calls_.Post(std::move(call));
  }
  template <typename Call>
  auto WhileAlive(Call call) {
    return calls_.WhileAlive(std::move(call));
  }
  // Runs `question(ConsumerHandle&)` on the side thread, then `on_answer(its result)` on the loop.
  template <typename Question, typename OnAnswer>
  void Ask(Question question, OnAnswer on_answer) {
    calls_.Ask(
        *side_,
        [handle = handle_, question = std::move(question)]() mutable { return question(*handle); },
        std::move(on_answer));
  }

  bool Due(const Pace& pace) const { return !pace.under_way && Now() >= pace.next; }
  // Ask, and not again before `pause` is over and the answer has come.
  template <typename Question, typename OnAnswer>
  void Ask(Pace& pace, base::Duration pause, Question question, OnAnswer on_answer) {
    pace = {Now() + pause, true};
    Ask(std::move(question), [&pace, on_answer = std::move(on_answer)](auto&& answer) mutable {
      pace.under_way = false;
      on_answer(std::forward<decltype(answer)>(answer));
    });
  }

 private:
  base::Loop& loop_;
  base::Wakeup wakeup_;
  std::shared_ptr<ConsumerHandle> handle_;
  base::LoopCalls calls_;
  std::unique_ptr<base::SideThread> side_;
};

}  // namespace outrigger::kafka
