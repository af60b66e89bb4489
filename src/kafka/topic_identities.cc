#include "kafka/topic_identities.h"

#include <algorithm>
#include <set>
#include <utility>

namespace outrigger::kafka {
namespace {

constexpr std::chrono::seconds kAsk{5};

}  // namespace

TopicIdentities::TopicIdentities(ConsumerClient& client, HeldPartitions& held,
                                 std::function<void(const TopicPartition&)> on_other)
    : client_(client), held_(held), on_other_(std::move(on_other)) {}

void TopicIdentities::Beat() {
  if (held_.empty() || !client_.Due(pace_)) return;
  std::vector<Seen> seen;
  for (const auto& [at, held] : held_)
    seen.push_back({at, held.epoch, held.EndOf(client_.FetchedOffsets(at).high)});
  client_.Ask(
      pace_, kAsk,
      [topics = held_.topics()](ConsumerHandle& handle) {
        return Identify(handle.rk(), topics).known;
      },
      [this, seen = std::move(seen)](const std::map<std::string, TopicIdentity>& identities) {
        OnAnswer(seen, identities);
      });
}

void TopicIdentities::OnAnswer(const std::vector<Seen>& seen,
                               const std::map<std::string, TopicIdentity>& identities) {
  for (const Seen& each : seen) {
    const auto now = identities.find(each.at.topic);
    HeldPartition* held = held_.Find(each.at);
    if (now == identities.end() || !held || held->epoch != each.epoch) continue;
    if (!held->identity.known()) held->identity = now->second;
    if (Differs(held->identity, now->second)) {
      on_other_(each.at);
    } else {
      held->sure_end = std::max(held->sure_end, each.end);
    }
  }
}

void TopicIdentities::FindGone(const std::vector<TopicPartition>& at,
                               std::function<void(Found)> on_found) {
  struct Doubt {
    Reset reset;
    TopicIdentity identity;
  };
  std::vector<Doubt> doubts;
  std::set<std::string> topics;
  for (const TopicPartition& each : at) {
    const HeldPartition* held = held_.Find(each);
    if (!held) continue;
    const int64_t lost = held->next < 0 ? 0 : std::max<int64_t>(held->sure_end - held->next, 0);
    doubts.push_back({{each, held->next, -1, ResetReason::kRecreated, lost}, held->identity});
    topics.insert(each.topic);
  }
  client_.Ask([topics = std::vector(topics.begin(), topics.end())](
                  ConsumerHandle& handle) { return Identify(handle.rk(), topics); },
              [doubts = std::move(doubts), on_found = std::move(on_found)](const Identities& now) {
                Found found;
                for (const auto& [reset, identity] : doubts) {
                  const auto known = now.known.find(reset.at.topic);
                  const bool gone = now.missing.contains(reset.at.topic) ||
                                    (known != now.known.end() && Differs(identity, known->second));
                  if (gone) {
                    found.gone.push_back(reset);
                  } else {
                    found.there.push_back(reset.at);
                  }
                }
                on_found(std::move(found));
              });
}

}  // namespace outrigger::kafka
