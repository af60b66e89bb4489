#include "deliver/circuit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace outrigger::deliver {
namespace {

using Kind = AppCircuit::Kind;
using Fate = AppCircuit::Fate;
using Probe = AppCircuit::Probe;
using State = AppCircuit::State;
using Ruling = AppCircuit::Ruling;
using Uncount = AppCircuit::Uncount;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

// A circuit and the hands of its clock.
class Circuit : public testing::Test {
 protected:
  // Dispatches event `id` and gives its result. An event has a key of its own unless one is given.
  AppCircuit::Decision Try(uint64_t id, Kind kind) { return Try(id, id, kind); }
  AppCircuit::Decision Try(uint64_t id, uint64_t key, Kind kind) {
    EXPECT_TRUE(circuit_.MayDispatch(id, key, now_)) << id;
    circuit_.OnDispatched(id, now_);
    return circuit_.OnResult(id, key, kind, now_);
  }
  AppCircuit::Decision Result(uint64_t id, Kind kind) {
    return circuit_.OnResult(id, id, kind, now_);
  }
  void Dispatch(std::initializer_list<uint64_t> ids) {
    for (const uint64_t id : ids) {
      EXPECT_TRUE(circuit_.MayDispatch(id, id, now_)) << id;
      circuit_.OnDispatched(id, now_);
    }
  }
  AppCircuit::Decision Probed(Probe result) {
    EXPECT_TRUE(circuit_.TakeProbe(now_));
    return circuit_.OnProbe(result, now_);
  }
  // Moves on to the next wake and probes; how long that took.
  base::Duration ProbeNext(Probe result) {
    const auto before = now_;
    EXPECT_TRUE(circuit_.NextWake(now_).has_value());
    now_ = circuit_.NextWake(now_).value_or(now_);
    Probed(result);
    return now_ - before;
  }
  void Degrade() {
    for (uint64_t id = 900; id < 920; ++id) Try(id, Kind::kFailure);
    ASSERT_EQ(circuit_.state(), State::kDegraded);
  }

  AppCircuit circuit_{CircuitPolicy{}};
  base::TimePoint now_{seconds(1000)};
};

TEST_F(Circuit, AHealthyAppIsLeftAlone) {
  for (uint64_t id = 0; id < 100; ++id) EXPECT_EQ(Try(id, Kind::kSuccess).fate, Fate::kCount);
  EXPECT_EQ(circuit_.state(), State::kClosed);
  EXPECT_EQ(circuit_.NextWake(now_), std::nullopt);
}

TEST_F(Circuit, AFailureCountsAndOpensNothing) {
  EXPECT_EQ(Try(1, Kind::kFailure).fate, Fate::kCount);
  EXPECT_EQ(Try(2, Kind::kTimeout).fate, Fate::kCount);
  EXPECT_FALSE(circuit_.open());
}

// Down.

TEST_F(Circuit, ARefusalOpensAtOnceAndUsesNoAttempt) {
  const auto decision = Try(1, Kind::kRefused);
  EXPECT_EQ(decision.fate, Fate::kNotAttempted);
  EXPECT_TRUE(decision.opened);
  EXPECT_EQ(circuit_.state(), State::kDown);
  EXPECT_FALSE(circuit_.MayDispatch(1, 1, now_ + seconds(100)));
  EXPECT_EQ(circuit_.suspects(), 0U);
}

TEST_F(Circuit, ARefusingAppIsProbedAtLeastEverySecond) {
  Try(1, Kind::kRefused);
  for (int i = 0; i < 50; ++i) EXPECT_LE(ProbeNext(Probe::kRefused), seconds(1));
  EXPECT_LE(ProbeNext(Probe::kUp), seconds(1));
  EXPECT_EQ(circuit_.state(), State::kClosed);
  EXPECT_TRUE(circuit_.MayDispatch(1, 1, now_));
}

TEST_F(Circuit, AnUnhealthyAppIsProbedFromOneSecondToThirty) {
  EXPECT_TRUE(circuit_.OnUnhealthy(now_).opened);
  std::vector<base::Duration> waits;
  for (int i = 0; i < 7; ++i) waits.push_back(ProbeNext(Probe::kUnhealthy));
  EXPECT_THAT(waits, ElementsAre(seconds(1), seconds(2), seconds(4), seconds(8), seconds(16),
                                 seconds(30), seconds(30)));
  ProbeNext(Probe::kRefused);
  EXPECT_LE(ProbeNext(Probe::kUp), seconds(1)) << "it restarts";
}

TEST_F(Circuit, OneProbeAtATime) {
  Try(1, Kind::kRefused);
  now_ += seconds(1);
  EXPECT_TRUE(circuit_.TakeProbe(now_));
  EXPECT_FALSE(circuit_.TakeProbe(now_));
  EXPECT_EQ(circuit_.NextWake(now_), std::nullopt);
  EXPECT_TRUE(circuit_.OnProbe(Probe::kUp, now_).closed);
}

TEST_F(Circuit, WhileTheAppIsDownNothingUsesAnAttempt) {
  Dispatch({1, 2, 3, 4, 5, 6});
  circuit_.OnUnhealthy(now_);
  for (const Kind kind :
       {Kind::kFailure, Kind::kRejected, Kind::kTimeout, Kind::kCut, Kind::kRefused})
    EXPECT_EQ(Result(static_cast<uint64_t>(kind), kind).fate, Fate::kNotAttempted);
  EXPECT_EQ(Result(6, Kind::kSuccess).fate, Fate::kCount) << "an answer is an answer";
  EXPECT_EQ(circuit_.state(), State::kDown) << "an app that drains refuses and still answers";
}

// Crashed.

TEST_F(Circuit, AfterACutNothingGoesUntilAProbeSaysWhetherTheAppIsThere) {
  Dispatch({1, 2});
  EXPECT_EQ(Result(1, Kind::kCut).fate, Fate::kHold);
  EXPECT_EQ(circuit_.state(), State::kChecking);
  EXPECT_FALSE(circuit_.open());
  EXPECT_FALSE(circuit_.MayDispatch(3, 3, now_));
  EXPECT_EQ(circuit_.NextWake(now_), now_) << "at once";
}

TEST_F(Circuit, CutsByALivingAppAreFailures) {
  Dispatch({1, 2});
  Result(1, Kind::kCut);
  Result(2, Kind::kCut);
  EXPECT_THAT(Probed(Probe::kUp).held,
              ElementsAre(Ruling{1, Fate::kCount}, Ruling{2, Fate::kCount}));
  EXPECT_EQ(circuit_.state(), State::kClosed);
  EXPECT_EQ(circuit_.suspects(), 0U);
}

TEST_F(Circuit, ManyCutsByALivingAppAreADegradedApp) {
  std::vector<Ruling> not_attempted;
  for (uint64_t id = 1; id <= 30; ++id) Dispatch({id});
  for (uint64_t id = 1; id <= 30; ++id) {
    Result(id, Kind::kCut);
    not_attempted.push_back({id, Fate::kNotAttempted});
  }
  const auto decision = Probed(Probe::kUp);
  EXPECT_EQ(decision.held, not_attempted);
  EXPECT_THAT(decision.uncount, IsEmpty());
  EXPECT_EQ(circuit_.state(), State::kDegraded);
}

TEST_F(Circuit, AllThatWasInFlightAtACrashIsSuspectAndUsesNoAttempt) {
  Dispatch({1, 2, 3, 4});
  EXPECT_EQ(Result(1, Kind::kCut).fate, Fate::kHold);
  const auto decision = Probed(Probe::kRefused);
  EXPECT_THAT(decision.held, ElementsAre(Ruling{1, Fate::kNotAttempted}));
  EXPECT_TRUE(decision.opened);
  EXPECT_EQ(Result(2, Kind::kCut).fate, Fate::kNotAttempted);
  EXPECT_EQ(Result(3, Kind::kTimeout).fate, Fate::kNotAttempted);
  EXPECT_EQ(Result(4, Kind::kSuccess).fate, Fate::kCount);
  EXPECT_EQ(circuit_.suspects(), 3U);
}

TEST_F(Circuit, ARefusalSaysAsMuchAsAProbe) {
  Dispatch({1, 2});
  Result(1, Kind::kCut);
  const auto decision = Result(2, Kind::kRefused);
  EXPECT_EQ(decision.fate, Fate::kNotAttempted);
  EXPECT_THAT(decision.held, ElementsAre(Ruling{1, Fate::kNotAttempted}));
  EXPECT_EQ(circuit_.suspects(), 1U) << "what was refused never reached the app";
}

TEST_F(Circuit, SuspectsAreTriedOneAtATimeAndNothingBesideThem) {
  Dispatch({1, 2});
  Result(1, Kind::kCut);
  Probed(Probe::kRefused);
  Result(2, Kind::kCut);
  ProbeNext(Probe::kUp);
  Dispatch({1});
  EXPECT_FALSE(circuit_.MayDispatch(2, 2, now_));
  EXPECT_FALSE(circuit_.MayDispatch(9, 9, now_));
  Result(1, Kind::kSuccess);
  Dispatch({9});
  EXPECT_FALSE(circuit_.MayDispatch(2, 2, now_)) << "not beside an innocent either";
  EXPECT_TRUE(circuit_.MayDispatch(8, 8, now_));
  Result(9, Kind::kSuccess);
  Dispatch({2});
  Result(2, Kind::kFailure);
  EXPECT_EQ(circuit_.suspects(), 0U) << "an answer clears it";
}

TEST_F(Circuit, OnlyASuspectThatIsAloneUsesAnAttempt) {
  Dispatch({1, 2});
  Result(1, Kind::kCut);
  Probed(Probe::kRefused);
  Result(2, Kind::kCut);
  ProbeNext(Probe::kUp);
  Dispatch({1});
  EXPECT_EQ(Result(1, Kind::kCut).fate, Fate::kHold);
  EXPECT_THAT(Probed(Probe::kRefused).held, ElementsAre(Ruling{1, Fate::kCount}));
  EXPECT_EQ(circuit_.suspects(), 2U) << "it goes alone the next time too";
  ProbeNext(Probe::kUp);
  EXPECT_EQ(Try(2, Kind::kSuccess).fate, Fate::kCount);
  Dispatch({1});
  circuit_.OnUnhealthy(now_);
  EXPECT_EQ(Result(1, Kind::kCut).fate, Fate::kCount) << "seen dead before the cut was";
}

TEST_F(Circuit, ASuspectThatIsRefusedUsesNoAttempt) {
  Try(1, Kind::kCut);
  Probed(Probe::kRefused);
  ProbeNext(Probe::kUp);
  EXPECT_EQ(Try(1, Kind::kRefused).fate, Fate::kNotAttempted);
  EXPECT_EQ(circuit_.suspects(), 1U);
}

// Degraded.

TEST_F(Circuit, TwentyFailuresOverFiveKeysOpenItAndAreNotAttempted) {
  for (uint64_t turn = 0; turn < 4; ++turn)
    for (uint64_t id = 1; id <= 5; ++id) {
      if (turn == 3 && id == 5) break;
      EXPECT_FALSE(Try(id, Kind::kFailure).opened);
    }
  const auto decision = Try(5, Kind::kTimeout);
  EXPECT_TRUE(decision.opened);
  EXPECT_EQ(decision.fate, Fate::kNotAttempted);
  EXPECT_THAT(decision.uncount, ElementsAre(Uncount{1, 4}, Uncount{2, 4}, Uncount{3, 4},
                                            Uncount{4, 4}, Uncount{5, 3}));
}

TEST_F(Circuit, FailuresOfFewKeysAreTheEventsOwn) {
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(Try(1000 + i, i % 4, Kind::kFailure).fate, Fate::kCount);
  EXPECT_FALSE(circuit_.open());
}

TEST_F(Circuit, ASuccessWipesTheSlate) {
  for (uint64_t id = 0; id < 19; ++id) Try(id, Kind::kFailure);
  Try(50, Kind::kSuccess);
  for (uint64_t id = 100; id < 119; ++id) EXPECT_FALSE(Try(id, Kind::kFailure).opened);
  EXPECT_TRUE(Try(120, Kind::kFailure).opened);
}

TEST_F(Circuit, KeysThatFailedWhileAnotherSucceededSayNothingOfTheApp) {
  for (uint64_t id = 0; id < 10; ++id) Try(id, Kind::kFailure);
  Try(50, Kind::kSuccess);
  for (int again = 0; again < 4; ++again)
    for (uint64_t key = 0; key < 10; ++key)
      EXPECT_EQ(Try(100 + key, key, Kind::kFailure).fate, Fate::kCount);
  EXPECT_FALSE(circuit_.open()) << "what is left of the topic is poison";
}

TEST_F(Circuit, AKeyThatSucceedsIsBelievedAgain) {
  for (uint64_t key = 0; key < 20; ++key) Try(key, Kind::kFailure);
  ASSERT_TRUE(circuit_.open());
  now_ += seconds(30);
  for (uint64_t key = 0; key < 20; ++key) Try(key, Kind::kSuccess);
  for (uint64_t key = 0; key < 19; ++key) Try(key, Kind::kFailure);
  EXPECT_TRUE(Try(19, Kind::kFailure).opened);
}

TEST_F(Circuit, WhatTheBlamedUsedIsUncountedToo) {
  Try(1, Kind::kFailure);
  Try(50, Kind::kSuccess);
  Try(1, Kind::kFailure);
  for (uint64_t id = 100; id < 119; ++id) Try(id, Kind::kFailure);
  EXPECT_THAT(Try(119, Kind::kFailure).uncount, testing::Contains(Uncount{1, 1}));
}

TEST_F(Circuit, KeysThatAnEarlierOwnerCountedAgainstAreToBlame) {
  for (uint64_t key = 0; key < 20; ++key) circuit_.Blame(key, now_);
  for (uint64_t key = 0; key < 20; ++key) EXPECT_EQ(Try(key, Kind::kFailure).fate, Fate::kCount);
  EXPECT_FALSE(circuit_.open());
}

TEST_F(Circuit, ASuccessThatHadBegunBeforeBlamesNobody) {
  Dispatch({50});
  now_ += milliseconds(1);
  for (uint64_t key = 0; key < 9; ++key) Try(key, Kind::kFailure);
  Result(50, Kind::kSuccess);
  for (uint64_t n = 0; n < 19; ++n) EXPECT_FALSE(Try(100 + n, n % 9, Kind::kFailure).opened);
  EXPECT_TRUE(Try(200, 1, Kind::kFailure).opened);
}

TEST_F(Circuit, ASuccessThatHadBegunBeforeDoesNotHideAFailureFromTheNext) {
  Dispatch({50});
  now_ += milliseconds(1);
  for (uint64_t key = 0; key < 9; ++key) Try(key, Kind::kFailure);
  Result(50, Kind::kSuccess);
  Try(51, Kind::kSuccess);
  for (uint64_t n = 0; n < 40; ++n) EXPECT_FALSE(Try(100 + n, n % 9, Kind::kFailure).opened);
}

TEST_F(Circuit, BlameLastsWhileItsKeyKeepsFailing) {
  for (uint64_t key = 0; key < 9; ++key) Try(key, Kind::kFailure);
  Try(50, Kind::kSuccess);
  for (uint64_t n = 0; n < 90; ++n) {
    now_ += seconds(2);
    EXPECT_FALSE(Try(100 + n, n % 9, Kind::kFailure).opened);
  }
}

TEST_F(Circuit, BlameEndsWithTheWindow) {
  for (uint64_t key = 0; key < 9; ++key) Try(key, Kind::kFailure);
  Try(50, Kind::kSuccess);
  now_ += seconds(30);
  for (uint64_t n = 0; n < 19; ++n) EXPECT_FALSE(Try(100 + n, n % 9, Kind::kFailure).opened);
  EXPECT_TRUE(Try(200, 1, Kind::kFailure).opened);
}

TEST_F(Circuit, KeysThatHaveNotFailedAreProbedOneAProbeInterval) {
  Degrade();
  for (uint64_t key = 1; key <= 60; ++key) {
    now_ += seconds(1);
    EXPECT_EQ(Try(key, Kind::kFailure).fate, Fate::kNotAttempted);
  }
  now_ += seconds(1);
  EXPECT_TRUE(Try(61, Kind::kSuccess).closed);
}

TEST_F(Circuit, AKeyThatHasNotFailedIsProbedAtOnceHoweverLongTheOthersWait) {
  Degrade();
  for (int probe = 0; probe < 6; ++probe) {
    while (!circuit_.MayDispatch(900, 900, now_)) now_ = *circuit_.NextWake(now_);
    Try(900, Kind::kFailure);
  }
  now_ += seconds(1);
  EXPECT_TRUE(circuit_.GoesLast(900));
  EXPECT_FALSE(circuit_.GoesLast(1));
  EXPECT_FALSE(circuit_.MayDispatch(900, 900, now_));
  EXPECT_TRUE(Try(1, Kind::kSuccess).closed);
  EXPECT_FALSE(circuit_.GoesLast(900));
}

// Six keys that fail for ever, and a healthy event each 20 s.
TEST_F(Circuit, PoisonKeysOnAQuietSubscriptionHaveABound) {
  std::map<uint64_t, uint32_t> attempts;
  std::map<uint64_t, base::TimePoint> next;
  uint64_t healthy = 1000;
  base::Duration longest{};
  bool waits = false;
  base::TimePoint since;
  const auto begin = now_;
  for (uint64_t id = 1; id <= 6; ++id) next[id] = now_;
  for (int step = 0; !next.empty(); ++step, now_ += milliseconds(100)) {
    ASSERT_LT(now_ - begin, seconds(120));
    if (step % 200 == 199) {
      waits = true;
      since = now_;
    }
    if (waits && circuit_.MayDispatch(healthy, healthy, now_)) {
      longest = std::max(longest, now_ - since);
      waits = false;
      Try(healthy++, Kind::kSuccess);
    }
    for (uint64_t id = 1; id <= 6; ++id) {
      if (!next.contains(id) || now_ < next[id] || !circuit_.MayDispatch(id, id, now_)) continue;
      const auto decision = Try(id, Kind::kFailure);
      for (const auto& [other, times] : decision.uncount) attempts[other] -= times;
      if (decision.fate == Fate::kCount && ++attempts[id] == 5)
        next.erase(id);
      else
        next[id] = now_ + milliseconds(300);
    }
  }
  EXPECT_LE(longest, seconds(1));
}

TEST_F(Circuit, AnAppThatFailsAgainRightAfterItRecoveredCostsNoAttempt) {
  Degrade();
  now_ += seconds(1);
  EXPECT_TRUE(Try(1, Kind::kSuccess).closed);
  uint64_t id = 900;
  for (; id < 919; ++id) EXPECT_FALSE(Try(id, Kind::kFailure).opened);
  EXPECT_TRUE(Try(id, Kind::kFailure).opened) << "they are not to blame yet";
}

TEST_F(Circuit, ADegradedAppIsLeftAloneForAsLongAsItAsks) {
  for (uint64_t id = 900; id < 919; ++id) Try(id, Kind::kFailure);
  circuit_.OnDispatched(919, now_);
  EXPECT_TRUE(circuit_.OnResult(919, 919, Kind::kFailure, now_, seconds(20)).opened);
  EXPECT_FALSE(circuit_.MayDispatch(1, 1, now_ + seconds(19)));
  EXPECT_EQ(circuit_.NextWake(now_), now_ + seconds(20));
  now_ += seconds(20);
  Dispatch({1});
  circuit_.OnResult(1, 1, Kind::kFailure, now_, seconds(90));
  EXPECT_FALSE(circuit_.MayDispatch(900, 900, now_ + seconds(89)));
  EXPECT_FALSE(circuit_.MayDispatch(2, 2, now_ + seconds(29)));
  now_ += seconds(30);
  EXPECT_TRUE(Try(2, Kind::kSuccess).closed) << "a key that has not failed asks after probe.max";
}

TEST_F(Circuit, WhatTheAppAskedForBeforeASuccessIsOver) {
  circuit_.OnDispatched(1, now_);
  circuit_.OnResult(1, 1, Kind::kFailure, now_, seconds(600));
  Try(2, Kind::kSuccess);
  Degrade();
  EXPECT_EQ(circuit_.NextWake(now_), now_ + seconds(1));
}

// Time-outs.

TEST_F(Circuit, AnAppThatHangsForTwoEventsIsDegradedAndNeitherWasAttempted) {
  Dispatch({1, 2, 3});
  now_ += seconds(10);
  EXPECT_EQ(Result(1, Kind::kTimeout).fate, Fate::kNotAttempted);
  const auto decision = Result(2, Kind::kTimeout);
  EXPECT_TRUE(decision.opened);
  EXPECT_TRUE(decision.overloaded);
  EXPECT_EQ(decision.fate, Fate::kNotAttempted);
  EXPECT_EQ(Result(3, Kind::kTimeout).fate, Fate::kNotAttempted);
}

TEST_F(Circuit, AnAppThatHangsForOneEventAfterTheOtherIsDegradedAndNeitherWasAttempted) {
  for (int attempt = 0; attempt < 3; ++attempt)
    EXPECT_EQ(Try(1, Kind::kTimeout).fate, Fate::kCount);
  const auto decision = Try(2, Kind::kTimeout);
  EXPECT_TRUE(decision.opened);
  EXPECT_EQ(decision.fate, Fate::kNotAttempted);
  EXPECT_THAT(decision.uncount, ElementsAre(Uncount{1, 3}));
}

TEST_F(Circuit, AnEventThatTheAppHadNotComeToWasNotAttempted) {
  for (uint64_t id = 1; id <= 64; ++id) Dispatch({id});
  for (uint64_t id = 1; id <= 20; ++id) Result(id, Kind::kSuccess);
  for (uint64_t id = 21; id <= 64; ++id) {
    const auto decision = Result(id, Kind::kTimeout);
    EXPECT_EQ(decision.fate, Fate::kNotAttempted);
    EXPECT_TRUE(decision.overloaded);
  }
  EXPECT_FALSE(circuit_.open()) << "it answers";
}

TEST_F(Circuit, AnEventThatHangsWhileTheAppAnswersMoreThanWasUnderWayWasAttempted) {
  Dispatch({1, 2, 3});
  for (uint64_t id = 50; id < 54; ++id) Try(id, Kind::kSuccess);
  for (uint64_t id = 1; id <= 3; ++id) {
    const auto decision = Result(id, Kind::kTimeout);
    EXPECT_EQ(decision.fate, Fate::kCount);
    EXPECT_FALSE(decision.overloaded);
  }
  EXPECT_FALSE(circuit_.open());
}

TEST_F(Circuit, OneEventThatHangsUsesItsAttempts) {
  for (int attempt = 0; attempt < 9; ++attempt)
    EXPECT_EQ(Try(1, Kind::kTimeout).fate, Fate::kCount);
  EXPECT_FALSE(circuit_.open());
  EXPECT_TRUE(Try(2, 1, Kind::kTimeout).opened) << "the next one of its key hangs too";
}

TEST_F(Circuit, EventsThatHangWhileOthersSucceedUseTheirAttempts) {
  for (int attempt = 0; attempt < 9; ++attempt) {
    EXPECT_EQ(Try(1, Kind::kTimeout).fate, Fate::kCount);
    Try(50, Kind::kSuccess);
    EXPECT_EQ(Try(2, Kind::kTimeout).fate, Fate::kCount);
    Try(51, Kind::kSuccess);
  }
  EXPECT_EQ(Try(1, Kind::kTimeout).fate, Fate::kCount);
  EXPECT_EQ(Try(2, Kind::kTimeout).fate, Fate::kCount) << "they are to blame";
  EXPECT_FALSE(circuit_.open());
}

TEST_F(Circuit, TwoTimeoutsFarApartSayNothing) {
  Try(1, Kind::kTimeout);
  now_ += seconds(31);
  EXPECT_EQ(Try(2, Kind::kTimeout).fate, Fate::kCount);
  EXPECT_FALSE(circuit_.open());
}

TEST_F(Circuit, TimeoutsThatTakeLongerThanTheWindowAreSeenTogether) {
  Dispatch({1, 2});
  now_ += seconds(60);
  Result(1, Kind::kTimeout);
  now_ += seconds(40);
  EXPECT_TRUE(Result(2, Kind::kTimeout).opened);
}

TEST_F(Circuit, WhatTheAppHasNotReadUsesNoAttemptAndOpensNothing) {
  for (uint64_t id = 1; id <= 40; ++id) {
    const auto decision = Try(id, Kind::kUnread);
    EXPECT_EQ(decision.fate, Fate::kNotAttempted);
    EXPECT_TRUE(decision.overloaded);
  }
  EXPECT_EQ(circuit_.state(), State::kClosed);
}

TEST_F(Circuit, FailuresOutsideTheWindowAreForgotten) {
  for (uint64_t id = 0; id < 19; ++id) Try(id, Kind::kFailure);
  now_ += seconds(31);
  EXPECT_FALSE(Try(20, Kind::kFailure).opened);
}

TEST_F(Circuit, ADegradedAppIsProbedWithOneEventAtATime) {
  Degrade();
  EXPECT_FALSE(circuit_.MayDispatch(1, 1, now_));
  EXPECT_FALSE(circuit_.TakeProbe(now_ + seconds(9))) << "only events can tell";
  std::vector<base::Duration> waits;
  for (uint64_t id = 1; id <= 7; ++id) {
    const auto before = now_;
    // Of keys that have failed: those that have not are tried in quicker succession.
    while (!circuit_.MayDispatch(id, 900, now_)) now_ = *circuit_.NextWake(now_);
    waits.push_back(now_ - before);
    circuit_.OnDispatched(id, now_);
    EXPECT_FALSE(circuit_.MayDispatch(id + 1, id + 1, now_));
    const Kind kind = id % 2 ? Kind::kFailure : Kind::kRejected;
    EXPECT_EQ(circuit_.OnResult(id, 900, kind, now_).fate, Fate::kNotAttempted);
  }
  EXPECT_THAT(waits, ElementsAre(seconds(1), seconds(2), seconds(4), seconds(8), seconds(16),
                                 seconds(30), seconds(30)));
  now_ += seconds(1);
  EXPECT_TRUE(Try(8, Kind::kSuccess).closed);
  EXPECT_TRUE(circuit_.MayDispatch(1, 1, now_));
}

TEST_F(Circuit, ALateFailureIsNoProbe) {
  Dispatch({1});
  Degrade();
  const auto wake = circuit_.NextWake(now_);
  EXPECT_EQ(Result(1, Kind::kFailure).fate, Fate::kNotAttempted);
  EXPECT_EQ(circuit_.NextWake(now_), wake);
}

TEST_F(Circuit, AProbeThatIsRevokedMakesRoomForTheNext) {
  Degrade();
  now_ += seconds(1);
  Dispatch({1});
  circuit_.Forget(1);
  EXPECT_TRUE(circuit_.MayDispatch(2, 2, now_));
}

TEST_F(Circuit, ADegradedAppThatRefusesIsDown) {
  Degrade();
  now_ += seconds(1);
  EXPECT_FALSE(Try(1, Kind::kRefused).opened) << "it was open";
  EXPECT_EQ(circuit_.state(), State::kDown);
  EXPECT_LE(ProbeNext(Probe::kUp), seconds(1));
  EXPECT_EQ(circuit_.state(), State::kClosed);
}

// Rejections.

TEST_F(Circuit, ALoneRejectionIsDeadLetteredAtOnce) {
  EXPECT_EQ(Try(1, Kind::kRejected).fate, Fate::kHold);
  EXPECT_EQ(circuit_.NextWake(now_), now_ + milliseconds(500));
  now_ += milliseconds(499);
  EXPECT_THAT(circuit_.OnTime(now_).held, IsEmpty());
  now_ += milliseconds(1);
  EXPECT_THAT(circuit_.OnTime(now_).held, ElementsAre(Ruling{1, Fate::kDeadLetter}));
  EXPECT_EQ(circuit_.NextWake(now_), std::nullopt);
}

TEST_F(Circuit, ALoneRejectionIsDeadLetteredAtOnceAlsoAfterFailuresThatASuccessFollowed) {
  for (uint64_t key = 1; key <= 6; ++key) Try(key, Kind::kFailure);
  Try(7, Kind::kSuccess);
  now_ += seconds(5);
  Try(8, Kind::kFailure);
  Try(9, Kind::kRejected);
  EXPECT_EQ(circuit_.NextWake(now_), now_ + milliseconds(500)) << "there was a success lately";
}

TEST_F(Circuit, ARejectionOfAnEventThatFailedBeforeIsDeadLetteredAtOnce) {
  Try(1, Kind::kFailure);
  Try(1, Kind::kRejected);
  EXPECT_EQ(circuit_.NextWake(now_), now_ + milliseconds(500));
}

TEST_F(Circuit, ARejectionWaitsForTheWindowWhereTheAppHasAnsweredNothingButFailures) {
  Try(1, Kind::kFailure);
  now_ += seconds(10);
  Try(2, Kind::kRejected);
  EXPECT_EQ(circuit_.NextWake(now_), now_ + seconds(30));
  now_ += seconds(29);
  EXPECT_THAT(circuit_.OnTime(now_).held, IsEmpty());
  now_ += seconds(1);
  EXPECT_THAT(circuit_.OnTime(now_).held, ElementsAre(Ruling{2, Fate::kDeadLetter}));
}

TEST_F(Circuit, ARejectionIsDeadLetteredWithTheNextSuccessOfAnotherKey) {
  Try(1, Kind::kSuccess);
  EXPECT_EQ(Try(2, Kind::kRejected).fate, Fate::kHold);
  EXPECT_THAT(Try(3, Kind::kSuccess).held, ElementsAre(Ruling{2, Fate::kDeadLetter}));
  EXPECT_EQ(Try(2, Kind::kRejected).fate, Fate::kDeadLetter) << "its key is to blame";
}

TEST_F(Circuit, TwoRejectionsWithoutASuccessInBetweenWaitForAnotherKey) {
  Try(1, Kind::kSuccess);
  EXPECT_EQ(Try(2, Kind::kRejected).fate, Fate::kHold);
  EXPECT_EQ(Try(3, Kind::kRejected).fate, Fate::kHold);
  EXPECT_EQ(circuit_.NextWake(now_), now_ + seconds(30)) << "the first one too";
  now_ += seconds(20);
  EXPECT_THAT(Try(4, Kind::kSuccess).held,
              ElementsAre(Ruling{2, Fate::kDeadLetter}, Ruling{3, Fate::kDeadLetter}));
  EXPECT_EQ(circuit_.held(), 0U);
}

TEST_F(Circuit, ARejectionAfterOneThatWasDeadLetteredWaitsForTheWindow) {
  Try(1, Kind::kSuccess);
  Try(2, Kind::kRejected);
  now_ += seconds(1);
  EXPECT_THAT(circuit_.OnTime(now_).held, SizeIs(1));
  Try(3, Kind::kRejected);
  EXPECT_EQ(circuit_.NextWake(now_), now_ + seconds(30));
}

TEST_F(Circuit, WhatTheAppHadBegunBeforeARejectionDoesNotJudgeIt) {
  Dispatch({1});
  now_ += milliseconds(1);
  Try(2, Kind::kRejected);
  EXPECT_THAT(Result(1, Kind::kSuccess).held, IsEmpty());
  now_ += milliseconds(1);
  EXPECT_THAT(Try(3, Kind::kSuccess).held, ElementsAre(Ruling{2, Fate::kDeadLetter}));
}

TEST_F(Circuit, AnAppThatRejectsEverythingFromOneMomentOnCostsNoEvent) {
  for (uint64_t id = 1; id <= 50; ++id) Try(id, Kind::kSuccess);
  for (uint64_t id = 51; id < 70; ++id) EXPECT_EQ(Try(id, Kind::kRejected).fate, Fate::kHold);
  const auto decision = Try(70, Kind::kRejected);
  EXPECT_TRUE(decision.opened);
  EXPECT_THAT(decision.held, SizeIs(19));
  for (const auto& ruling : decision.held) EXPECT_EQ(ruling.fate, Fate::kNotAttempted);
}

TEST_F(Circuit, TheSameKeyHasNoSayInIt) {
  EXPECT_EQ(Try(1, 7, Kind::kRejected).fate, Fate::kHold);
  EXPECT_THAT(Try(2, 7, Kind::kSuccess).held, IsEmpty());
  EXPECT_THAT(Try(3, 8, Kind::kSuccess).held, ElementsAre(Ruling{1, Fate::kDeadLetter}));
}

TEST_F(Circuit, RejectionsOverManyKeysOpenItAndAreNotAttempted) {
  for (uint64_t id = 1; id < 20; ++id) EXPECT_EQ(Try(id, Kind::kRejected).fate, Fate::kHold);
  const auto decision = Try(20, Kind::kRejected);
  EXPECT_TRUE(decision.opened);
  EXPECT_EQ(decision.fate, Fate::kNotAttempted);
  EXPECT_THAT(decision.held, SizeIs(19));
  for (const auto& ruling : decision.held) EXPECT_EQ(ruling.fate, Fate::kNotAttempted);
  EXPECT_THAT(decision.uncount, IsEmpty()) << "they were never counted";
  EXPECT_EQ(circuit_.held(), 0U);
}

TEST_F(Circuit, WhereEnoughKeysWereRejectedForTheWindowTheAppIsDegraded) {
  for (uint64_t id = 1; id <= 6; ++id) Try(id, Kind::kRejected);
  now_ += seconds(30);
  const auto decision = circuit_.OnTime(now_);
  EXPECT_TRUE(decision.opened);
  EXPECT_THAT(decision.held, SizeIs(6));
  for (const auto& ruling : decision.held) EXPECT_EQ(ruling.fate, Fate::kNotAttempted);
  EXPECT_EQ(circuit_.state(), State::kDegraded);
}

TEST_F(Circuit, WhereFewKeysWereRejectedForTheWindowTheyAreToBlame) {
  for (uint64_t id = 1; id <= 4; ++id) Try(id, Kind::kRejected);
  now_ += seconds(30);
  const auto decision = circuit_.OnTime(now_);
  EXPECT_FALSE(decision.opened);
  EXPECT_THAT(decision.held, SizeIs(4));
  for (const auto& ruling : decision.held) EXPECT_EQ(ruling.fate, Fate::kDeadLetter);
}

TEST_F(Circuit, NoRejectionIsDecidedWhileTheAppIsDown) {
  Try(1, Kind::kRejected);
  EXPECT_THAT(Try(2, Kind::kRefused).held, ElementsAre(Ruling{1, Fate::kNotAttempted}));
  now_ += seconds(60);
  EXPECT_THAT(circuit_.OnTime(now_).held, IsEmpty());
}

TEST_F(Circuit, AnEventThatIsGoneIsNotSpokenOf) {
  Dispatch({1, 2, 3});
  Result(1, Kind::kCut);
  circuit_.Forget(1);
  circuit_.Forget(2);
  EXPECT_THAT(Probed(Probe::kRefused).held, IsEmpty());
  EXPECT_EQ(circuit_.suspects(), 0U);
}

}  // namespace
}  // namespace outrigger::deliver
