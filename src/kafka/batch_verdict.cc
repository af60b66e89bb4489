#include "kafka/batch_verdict.h"

namespace outrigger::kafka {
namespace {

BatchVerdict::Action ActionFor(Blame blame, bool refused_alone) {
  using Action = BatchVerdict::Action;
  switch (blame) {
    case Blame::kRecord:
      return refused_alone ? Action::kRefuseRecord : Action::kSendOneByOne;
    case Blame::kTopic:
      return Action::kRefuseBatch;
    case Blame::kRouting:
      return Action::kLookUpTopic;
    case Blame::kHandle:
      return Action::kReplaceClient;
    case Blame::kPassing:
      break;
  }
  return Action::kSendLater;
}

}  // namespace

BatchVerdict VerdictOf(const PartitionQueue& queue) {
  BatchVerdict verdict;
  verdict.records = queue.batch.size();
  const Entry* gravest = nullptr;
  Blame blame = Blame::kPassing;
  for (const Entry* entry : queue.batch) {
    if (!entry) continue;
    verdict.bytes += entry->bytes;
    const auto error = static_cast<rd_kafka_resp_err_t>(entry->error);
    const ErrorMeaning meaning = MeaningOf(error);
    verdict.has_refused |= meaning.blame == Blame::kRecord;
    verdict.too_large |= meaning.blame == Blame::kRecord && meaning.reason == Reason::kTooLarge;
    if (gravest && meaning.blame <= blame) continue;
    gravest = entry;
    blame = meaning.blame;
    verdict.error = error;
  }
  if (!gravest) return verdict;
  verdict.topic = gravest->topic;
  verdict.key_missing = verdict.error == RD_KAFKA_RESP_ERR_INVALID_RECORD && !gravest->record.key;
  verdict.action = ActionFor(blame, verdict.refused_alone());
  return verdict;
}

}  // namespace outrigger::kafka
