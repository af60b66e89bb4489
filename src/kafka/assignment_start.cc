#include "kafka/assignment_start.h"

#include <algorithm>
#include <utility>

namespace outrigger::kafka {
namespace {

constexpr std::chrono::milliseconds kAskAgain{200};
// For the member that has a new group's first partition; it may be starting, or be gone.
constexpr std::chrono::seconds kOthersTurn{10};

}  // namespace

AssignmentStart::AssignmentStart(ConsumerClient& client, ConsumerHealth& health,
                                 CommitRequests& commits, const ConsumerOptions& options)
    : client_(client),
      health_(health),
      commits_(commits),
      group_(options.group),
      group_start_(std::make_shared<GroupStart>(options.topics, options.start)) {}

void AssignmentStart::Find(std::vector<TopicPartition> at, OnFound on_found) {
  Cancel();
  at_ = std::move(at);
  since_ = client_.Now();
  on_found_ = std::move(on_found);
  Ask();
}

void AssignmentStart::Cancel() {
  ++search_;
  again_.Cancel();
  on_found_ = nullptr;
}

void AssignmentStart::Ask() {
  const bool waited = client_.Now() - since_ > kOthersTurn;
  client_.Ask([start = group_start_, at = at_,
               waited](ConsumerHandle& handle) { return start->Find(handle.rk(), at, waited); },
              [this, search = search_](base::Result<StartingPoints> answer) {
                if (search == search_) OnAnswer(std::move(answer));
              });
}

void AssignmentStart::OnAnswer(base::Result<StartingPoints> answer) {
  // Without the committed offsets nothing can be started: a guess would skip or repeat records.
  if (!answer) return AskAgain(answer.error().hint == kMustWait ? "" : answer.error().message);
  if (!answer->first_commit.empty()) return CommitBeginning(std::move(*answer));
  Finish(std::move(answer->points));
}

void AssignmentStart::AskAgain(const std::string& why) {
  if (!why.empty()) health_.Begin(Trouble::kPosition, {}, why);
  again_ = client_.loop().After(kAskAgain, [this] { Ask(); });
}

// Nothing is fetched before the group's beginning is committed: after a restart "latest" would be
// another place, and what came in between skipped.
void AssignmentStart::CommitBeginning(StartingPoints found) {
  commits_.CommitBeginning(
      found.first_commit, since_ + kOthersTurn,
      [this, search = search_,
       points = std::move(found.points)](const std::vector<CommitResult>& results) {
        if (search != search_) return;
        const auto refused = std::ranges::find_if_not(results, &CommitResult::taken);
        if (refused == results.end()) return Finish(points);
        AskAgain("where group " + group_ + " begins can't be committed: " + refused->why);
      });
}

void AssignmentStart::Finish(std::vector<StartingPoint> points) {
  health_.End(Trouble::kPosition, {});
  ++search_;
  std::exchange(on_found_, nullptr)(std::move(points));
}

}  // namespace outrigger::kafka
