// The answer to a stream of lines, while they are decided: how many were taken, the code of the
// worst one, and the first failures.
//
// At most 1,000 failures and 256 KiB of them are listed, and each is counted in the budget of
// answers before it is kept; all are counted in `failed`. Pure. Thread: the flow's. Source:
// src/publish/README.md, "Batches and streams" and "Bounds of an answer".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "http/problem.h"
#include "http/request.h"

namespace outrigger::publish {

class StreamAnswer {
 public:
  // A line was taken, with this status.
  void Accept(int status);
  // In any order of the lines. `request` has the budget; null when it has gone, as nobody reads the
  // answer then.
  void Fail(uint64_t line, const http::Problem& problem, http::Request* request);

  // `lines`: how many were read.
  http::Response ToResponse(uint64_t lines);

 private:
  struct FailedLine {
    uint64_t line;
    std::string problem;  // as it is in the answer
  };

  uint64_t accepted_ = 0;
  uint64_t failed_ = 0;
  int status_ = 200;  // the highest
  std::vector<FailedLine> failures_;
  uint64_t failure_bytes_ = 0;  // of memory
};

}  // namespace outrigger::publish
