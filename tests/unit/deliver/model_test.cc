// The dispatcher with its real parts against an app that dies, comes back, loses its database and
// is killed by single events, while partitions come and go and the process is killed; in simulated
// time.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "deliver/commit_metadata.h"
#include "deliver/dispatcher.h"

namespace outrigger::deliver {
namespace {

using Kind = AppCircuit::Kind;
using What = Dispatcher::What;
using Action = Verdict::Action;
using std::chrono::milliseconds;
using std::chrono::seconds;

// What happens in a history.
struct Weather {
  uint32_t events = 12;
  uint32_t keys = 5;
  bool outages = true;       // of the app, and of what it depends on
  uint32_t killers = 40;     // one event in so many kills the app
  uint32_t rejected = 20;    // … is rejected for ever
  uint32_t flaky = 6;        // … fails at its first tries
  uint32_t kills = 2;        // kill -9 of our process, at most
  uint32_t revocations = 2;  // at most
  uint32_t refusals = 4;     // one commit in so many is refused
  // In the end somebody mends the handler. Where every event that is left can't be processed nobody
  // can tell that from a broken app, and nothing is given up until then.
  bool mended = true;
};

// An event as the partition holds it; it outlives every process.
struct Truth {
  int64_t offset = 0;
  std::string key;
  bool kills = false;
  bool rejected = false;
  uint32_t fails = 0;   // so many tries fail before one succeeds
  uint32_t failed = 0;  // … have failed
  uint32_t judged = 0;  // verdicts, in all processes
  bool settled = false;
  bool dead = false;
};

constexpr uint32_t kAttempts = 4;

class History {
 public:
  History(uint32_t seed, const Weather& weather) : weather_(weather), random_(seed) {
    for (uint32_t n = 0; n < weather.events; ++n) {
      Truth truth;
      truth.offset = n;
      truth.key = std::to_string(random_() % weather.keys);
      truth.kills = One(weather.killers);
      truth.rejected = !truth.kills && One(weather.rejected);
      if (!truth.kills && !truth.rejected && One(weather.flaky)) truth.fails = 1 + random_() % 2;
      truths_.push_back(truth);
    }
    kills_left_ = weather.kills;
    revocations_left_ = weather.revocations;
    Begin();
  }

  // Empty: all is as it should be.
  std::string Run() {
    const auto trouble_ends = now_ + seconds(20);
    const auto end = trouble_ends + std::chrono::minutes(30);
    while (wrong_.empty() && !Finished()) {
      if (now_ > end) return "not settled in time: " + Left();
      calm_ = now_ > trouble_ends;
      if (weather_.mended && now_ > trouble_ends + std::chrono::minutes(1)) Mend();
      Happen();
      Fetch();
      Commit();
      Turn();
      Answer();
      // Nothing happens between two moments of a calm time but what a timer brings.
      now_ += flying_.empty() && calm_ ? milliseconds(50) : milliseconds(1 + random_() % 20);
    }
    return wrong_;
  }

  const std::vector<Truth>& truths() const { return truths_; }

 private:
  struct Item : Dispatcher::Event {
    Truth* truth = nullptr;
    Kind last = Kind::kRefused;  // its last result
    bool settled = false;
  };
  // One assignment of the partition.
  struct Assignment {
    Assignment(const Progress& progress, uint64_t number) {
      partition.number = number;
      partition.room = &room;
      room.Add(partition.offsets);
      partition.offsets = PartitionOffsets(progress);
    }

    MetadataRoom room;
    Dispatcher::Partition partition;
    std::map<int64_t, Item> items;
  };

  bool One(uint32_t of) { return random_() % of == 0; }
  void Wrong(const std::string& what) {
    if (wrong_.empty()) wrong_ = what;
  }
  // Everything is settled, and by this process.
  bool Finished() const {
    return partition().offsets.committable() == static_cast<int64_t>(truths_.size()) &&
           std::all_of(truths_.begin(), truths_.end(), [](const Truth& t) { return t.settled; });
  }
  Dispatcher::Partition& partition() const { return assignment_->partition; }
  std::string Left() const {
    std::string left;
    for (const Truth& truth : truths_)
      if (!truth.settled) left += std::to_string(truth.offset) + " ";
    return left;
  }

  // A process begins, with nothing but what Kafka has.
  void Begin() {
    const DispatchPolicy policy{Ordering::kKey,
                                4,
                                {kAttempts, milliseconds(20), milliseconds(500), {}},
                                {6, 3, seconds(2), milliseconds(100), seconds(1)}};
    flying_.clear();
    dispatcher_ = std::make_unique<Dispatcher>(policy, [this] { return random_(); });
    Assign();
  }

  void Assign() {
    assignment_ = std::make_unique<Assignment>(committed_, ++assignments_);
    next_fetch_ = committed_.committed;
  }

  // What befalls us and the app.
  void Happen() {
    if (now_ >= back_at_) up_ = true;
    if (now_ >= well_at_) database_ = true;
    if (calm_) return;
    if (weather_.outages && One(150)) Die();
    if (weather_.outages && One(150)) {
      database_ = false;
      well_at_ = now_ + milliseconds(random_() % 4000);
    }
    if (kills_left_ > 0 && One(120)) {
      --kills_left_;
      Begin();
    } else if (revocations_left_ > 0 && One(100)) {
      --revocations_left_;
      Revoke();
    }
  }

  void Die() {
    up_ = false;
    back_at_ = now_ + milliseconds(100 + random_() % 2000);
    for (Item* item : std::exchange(flying_, {}))
      Report(*item, {{Action::kRetry, Reason::kRefused}, Kind::kCut});
  }

  // The partition goes, what is in flight is cancelled, the rest committed; then it is ours again.
  void Revoke() {
    partition().revoked = true;
    Turn();
    dispatcher_->Remove(partition());
    flying_.clear();
    committed_ = partition().offsets.progress();
    Assign();
  }

  void Mend() {
    for (Truth& truth : truths_) truth.kills = truth.rejected = false;
  }

  void Fetch() {
    for (int n = 0; n < 3 && next_fetch_ < static_cast<int64_t>(truths_.size()); ++n) {
      Truth& truth = truths_[static_cast<size_t>(next_fetch_++)];
      if (partition().offsets.Add(truth.offset) != PartitionOffsets::Added::kNew) {
        if (!truth.settled) Wrong("skipped " + std::to_string(truth.offset));
        continue;
      }
      Item& item = assignment_->items[truth.offset];
      item.truth = &truth;
      item.home = &partition();
      item.offset = truth.offset;
      item.key = truth.key;
      dispatcher_->Add(item, now_);
    }
  }

  void Commit() {
    auto& offsets = partition().offsets;
    if (!offsets.dirty() || !One(3)) return;
    const uint64_t version = offsets.version();
    if (calm_ || !One(weather_.refusals)) {
      // By the text, as a restart finds it.
      const Progress progress = offsets.progress();
      committed_ = *DecodeMetadata(EncodeMetadata(progress), progress.committed);
      offsets.Committed(version);
    }
    dispatcher_->Committed(partition(), version);  // refused: counted in memory alone
  }

  void Turn() {
    auto& dispatcher = *dispatcher_;
    dispatcher.OnTime(now_);
    if (dispatcher.TakeProbe(now_))
      dispatcher.OnProbe(up_ ? AppCircuit::Probe::kUp : AppCircuit::Probe::kRefused, now_);
    do {
      std::vector<Dispatcher::Decided> decided;
      dispatcher.TakeDecided(decided);
      for (const auto& each : decided) CarryOut(each);
      while (auto* event = dispatcher.Next(now_)) Start(static_cast<Item&>(*event));
    } while (dispatcher.has_decided());
  }

  void Start(Item& item) {
    if (item.home->revoked) Wrong("began of a revoked partition");
    for (const Item* other : flying_)
      if (other->truth->key == item.truth->key) Wrong("two of one key in flight");
    for (const auto& [offset, other] : assignment_->items)
      if (offset < item.offset && other.truth->key == item.truth->key && !other.truth->settled)
        Wrong("overtook an event of its key");
    flying_.push_back(&item);
  }

  void Answer() {
    for (size_t count = random_() % 4; count > 0 && !flying_.empty(); --count) {
      const size_t at = random_() % flying_.size();
      Item* item = flying_[at];
      if (up_ && item->truth->kills) return Die();
      flying_.erase(flying_.begin() + static_cast<std::ptrdiff_t>(at));
      Report(*item, ResultOf(*item->truth));
    }
  }

  AttemptResult ResultOf(Truth& truth) {
    if (!up_) return {{Action::kAppDown, Reason::kRefused}, Kind::kRefused};
    ++truth.judged;
    if (!database_) return {{Action::kRetry, Reason::kStatus5xx, 503}, Kind::kFailure};
    if (truth.rejected) return {{Action::kRejected, Reason::kStatus4xx, 422}, Kind::kRejected};
    if (truth.fails > 0) {
      --truth.fails;
      ++truth.failed;
      return {{Action::kRetry, Reason::kStatus5xx, 500}, Kind::kFailure};
    }
    return {{Action::kDone}, Kind::kSuccess};
  }

  void Report(Item& item, AttemptResult result) {
    if (result.kind == Kind::kCut) ++item.truth->judged;
    item.last = result.kind;
    dispatcher_->OnResult(item, std::move(result), now_);
    Turn();
  }

  void CarryOut(const Dispatcher::Decided& decided) {
    auto& item = static_cast<Item&>(*decided.event);
    const uint32_t attempts = item.home->offsets.attempts(item.offset);
    if (attempts >= kAttempts) Wrong("counted too many attempts");
    if (decided.what == What::kRetried || decided.what == What::kNoted) return;
    Truth& truth = *item.truth;
    if (truth.judged == 0) Wrong("settled without a verdict");
    if (decided.what == What::kDelivered && item.last != Kind::kSuccess)
      Wrong("delivered, and the app has not said so");
    const bool dead = decided.what == What::kGivenUp;
    if (dead && !truth.rejected && attempts + 1 < kAttempts) Wrong("given up too early");
    if (!weather_.outages && !truth.kills && !truth.rejected && attempts > truth.failed)
      Wrong("an attempt of a healthy event was counted");
    if (std::exchange(item.settled, true)) Wrong("settled twice");
    truth.settled = true;
    truth.dead = dead;
    dispatcher_->Settle(item);
    if (partition().offsets.attempts(item.offset) > 0) Wrong("settled, and attempts are left");
  }

  const Weather weather_;
  std::mt19937_64 random_;
  base::TimePoint now_{seconds(1000)};
  std::vector<Truth> truths_;
  Progress committed_;  // what Kafka has
  std::unique_ptr<Assignment> assignment_;
  std::unique_ptr<Dispatcher> dispatcher_;
  uint64_t assignments_ = 0;
  int64_t next_fetch_ = 0;
  std::vector<Item*> flying_;
  uint32_t kills_left_ = 0, revocations_left_ = 0;
  bool up_ = true, database_ = true, calm_ = false;
  base::TimePoint back_at_{}, well_at_{};
  std::string wrong_;
};

// The seeds are the histories: one that ever failed is found again.
constexpr uint32_t kHistories = 10'000;

TEST(DeliverModel, KeepsOrderCountsAttemptsAndSettlesEveryEventOnceTheAppIsHealthyAgain) {
  for (uint32_t seed = 0; seed < kHistories; ++seed) {
    History history(seed, Weather());
    ASSERT_EQ(history.Run(), "") << "seed " << seed;
  }
}

// Attempts that the app has seen, at most: each is tried `attempts` times, and once more for each
// time that its process was killed.
TEST(DeliverModel, AnEventThatKillsTheAppIsTriedSoOftenAndCostsNoOtherAnAttempt) {
  for (uint32_t seed = 0; seed < 300; ++seed) {
    History history(seed, {.events = 60,
                           .keys = 12,
                           .outages = false,
                           .killers = 30,
                           .rejected = 30,
                           .flaky = 1'000'000,
                           .kills = 0,
                           .revocations = 0,
                           .refusals = 4,
                           .mended = false});
    ASSERT_EQ(history.Run(), "") << "seed " << seed;
    for (const Truth& truth : history.truths())
      ASSERT_EQ(truth.dead, truth.kills || truth.rejected) << truth.offset << ", seed " << seed;
  }
}

// Large ones with much of everything.
TEST(DeliverModel, ThousandsOfEventsAreSettledThroughOutages) {
  for (uint32_t seed = 0; seed < 10; ++seed) {
    History history(seed, {.events = 1500,
                           .keys = 60,
                           .outages = true,
                           .killers = 1000,
                           .rejected = 100,
                           .flaky = 10,
                           .kills = 5,
                           .revocations = 5,
                           .refusals = 4,
                           .mended = false});
    ASSERT_EQ(history.Run(), "") << "seed " << seed;
  }
}

}  // namespace
}  // namespace outrigger::deliver
