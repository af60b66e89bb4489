#include "publish/change_results.h"

#include <gtest/gtest.h>

namespace outrigger::publish {
namespace {

TEST(ChangeResults, EachRecordIsToldWithWhatBecameOfIt) {
  EXPECT_EQ(ToJson({}, Change::kDrop), R"({"results":[]})");
  EXPECT_EQ(ToJson({ChangeResult::Done(1, 7), {2, 0, "why"}}, Change::kRequeue),
            R"({"results":[{"id":1,"status":"requeued","now":7},)"
            R"({"id":2,"status":"refused","detail":"why"}]})");
  EXPECT_EQ(ToJson({ChangeResult::Done(1)}, Change::kDropQuarantined),
            R"({"results":[{"id":1,"status":"dropped"}]})");
}

}  // namespace
}  // namespace outrigger::publish
