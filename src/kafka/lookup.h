// Questions to the cluster that block, asked on a thread of their own: does this topic exist, with
// how many partitions, and is anybody there.
//
// Thread: Ask and Retire on the loop's; answers come on the loop's. Lifetime: destroying it waits
// for the question under way, a second at most; no answer comes after that.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/loop.h"
#include "base/loop_calls.h"
#include "base/side_thread.h"
#include "kafka/handle.h"

namespace outrigger::kafka {

class Lookup {
 public:
  struct Answer {
    std::string topic;                                       // empty: only whether a broker answers
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;  // of the question as a whole
    rd_kafka_resp_err_t topic_error = RD_KAFKA_RESP_ERR_NO_ERROR;
    int partitions = 0;
    std::vector<bool> led;  // by partition: it has a leader
  };

  Lookup(base::Loop& loop, std::function<void(const Answer&)> on_answer);

  // Asking for a topic makes the broker create it where it is allowed to
  // (auto.create.topics.enable).
  void Ask(std::shared_ptr<Handle> handle, std::string topic);
  // Lets go of a handle on a thread of its own, since destroying it can block.
  void Retire(std::shared_ptr<Handle> handle);

 private:
  std::function<void(const Answer&)> on_answer_;
  base::LoopCalls calls_;
  std::optional<base::SideThread> retired_;  // made with the first
  base::SideThread side_;                    // ends before what its jobs use
};

}  // namespace outrigger::kafka
