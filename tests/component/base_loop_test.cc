#include "base/loop.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>

namespace outrigger::base {
namespace {

using std::chrono::milliseconds;

TEST(Loop, RunsInRealTimeUntilStopped) {
  Loop loop;
  const TimePoint start = loop.Now();
  Timer timer = loop.After(milliseconds(5), [&] { loop.Stop(); });
  loop.Run();
  EXPECT_GE(loop.Now() - start, milliseconds(5));
}

TEST(Loop, ACallFromAnotherThreadIsWaitedForAndThrowsWhatItThrew) {
  Loop loop;
  std::thread thread([&loop] { loop.Run(); });
  std::thread::id ran_on;
  loop.Call([&ran_on] { ran_on = std::this_thread::get_id(); });
  EXPECT_EQ(ran_on, thread.get_id());
  EXPECT_THROW(loop.Call([] { throw std::runtime_error("x"); }), std::runtime_error);
  loop.Call([] {});
  loop.Stop();
  thread.join();
}

}  // namespace
}  // namespace outrigger::base
