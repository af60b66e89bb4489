// Places at which a test build dies on demand, so that tests can show what a crash there leaves.
//
// OUTRIGGER_FAIL_POINT=NAME or NAME:N in the environment: the process is killed (SIGKILL) when it
// comes to that place, for the Nth time. Only in builds with OUTRIGGER_FAIL_POINTS (Debug); in
// others a Reach is nothing. Thread: any. Source: libfiu, FreeBSD's fail(9).
#pragma once

#include <array>
#include <cstddef>

namespace outrigger::base {

enum class FailPoint {
  // store: the writer's thread
  kBegin,
  kBegun,
  kInsert,
  kInserted,
  kRemove,
  kRemoved,
  kCommit,
  kCommitted,
  kAnswer,
  kQuarantine,
  kQuarantined,
  kRead,
  kCheckpoint,
  kCheckpointed,
  kShrink,
  kStoreOpened,
  // publish: what goes to the disk
  kLate,
  kLatePut,
  kDiskFirst,
  kDiskPut,
  kSpooledTold,
  // publish: what comes from the disk
  kPageRead,
  kGive,
  kGiven,
  kRowAcked,
  kRowRemove,
  kRowRefused,
  kRowRejected,
  kDeadLetter,
  kDeadLettered,
  // kafka: the producer
  kProduce,
  kBatch,
  kBatchSent,
  kReported,
  kAckTold,
  // the answer
  kAnswerApp,
  kCount
};

inline constexpr std::array<const char*, static_cast<size_t>(FailPoint::kCount)> kFailPoints{
    "begin",      "begun",        "insert",       "inserted",     "remove",      "removed",
    "commit",     "committed",    "answer",       "quarantine",   "quarantined", "read",
    "checkpoint", "checkpointed", "shrink",       "store-opened", "late",        "late-put",
    "disk-first", "disk-put",     "spooled-told", "page-read",    "give",        "given",
    "row-acked",  "row-remove",   "row-refused",  "row-rejected", "dead-letter", "dead-lettered",
    "produce",    "batch",        "batch-sent",   "reported",     "ack-told",    "answer-app"};

#ifdef OUTRIGGER_FAIL_POINTS
void Reach(FailPoint point);
#else
inline void Reach(FailPoint) {}
#endif

}  // namespace outrigger::base
