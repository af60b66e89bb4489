// Calls on a loop that end with their owner: work for later, and answers of questions that block
// and are therefore asked on a side thread.
//
// Thread: the loop's, but Post may be called from any; only `question` runs on the side thread.
// Lifetime: no call comes after Stop or destruction, which is the loop's matter. The loop outlives
// the threads that post.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

#include "base/loop.h"
#include "base/side_thread.h"

namespace outrigger::base {

class LoopCalls {
 public:
  explicit LoopCalls(Loop& loop) : loop_(loop) {}
  LoopCalls(const LoopCalls&) = delete;
  LoopCalls& operator=(const LoopCalls&) = delete;
  ~LoopCalls() { Stop(); }

  void Stop() { *alive_ = false; }

  // `call`, which does nothing after Stop: for callbacks that others keep.
  template <typename Call>
  auto WhileAlive(Call call) {
    return [alive = alive_, call = std::move(call)](auto&&... arguments) mutable {
      if (*alive) call(std::forward<decltype(arguments)>(arguments)...);
    };
  }

  template <typename Call>
  void Post(Call call) {
    loop_.Post(WhileAlive(std::move(call)));
  }

  // Runs `question()` on the side thread, then `on_answer(its result)` on the loop.
  template <typename Question, typename OnAnswer>
  void Ask(SideThread& side, Question question, OnAnswer on_answer) {
    side.Run([&loop = loop_, alive = alive_, question = std::move(question),
              on_answer = std::move(on_answer)]() mutable {
      if constexpr (std::is_void_v<decltype(question())>) {
        question();
        loop.Post([alive, on_answer = std::move(on_answer)]() mutable {
          if (*alive) on_answer();
        });
      } else {
        loop.Post([alive, on_answer = std::move(on_answer), answer = question()]() mutable {
          if (*alive) on_answer(std::move(answer));
        });
      }
    });
  }

 private:
  Loop& loop_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace outrigger::base
