#include "kafka/topic_identity.h"

#include <gtest/gtest.h>

namespace outrigger::kafka {
namespace {

const TopicIdentity kTopic{"4jcZu2bVQxSy0QJHn3sBEQ", "MkU3OEVBNTcwNTJENDM2Qk"};
const TopicIdentity kOther{"p+Gm1/VBQVKJZ6PHwWk1MA", "MkU3OEVBNTcwNTJENDM2Qk"};
const TopicIdentity kElsewhere{"p+Gm1/VBQVKJZ6PHwWk1MA", "another-cluster"};

TEST(TopicIdentity, ATagAndTheFlowsMetadataComeApartAgain) {
  for (const std::string metadata : {"", "or1:AQEC", "a;b@c", "ot1:x"}) {
    const auto [identity, rest] = Untagged(Tagged(kTopic, metadata));
    EXPECT_EQ(identity.topic, kTopic.topic);
    EXPECT_EQ(identity.cluster, kTopic.cluster);
    EXPECT_EQ(rest, metadata);
  }
  EXPECT_LE(Tagged(kTopic, "").size(), kIdentityMax);
}

TEST(TopicIdentity, MetadataOfOthersStaysAsItIs) {
  for (const std::string metadata :
       {"", "or1:AQEC", "ot1:", "ot1:no-end@", "ot1:no-cluster;", "ot1:;@", "; @ ot1:a@b;"}) {
    const auto [identity, rest] = Untagged(metadata);
    EXPECT_FALSE(identity.known()) << metadata;
    EXPECT_EQ(rest, metadata);
  }
}

TEST(TopicIdentity, WhatIsNotKnownOrTooLongIsNotWritten) {
  EXPECT_EQ(Tagged({}, "m"), "m");
  EXPECT_EQ(Tagged({"topic", ""}, "m"), "m");
  EXPECT_EQ(Tagged({"topic", std::string(60, 'c')}, "m"), "m");
}

TEST(TopicIdentity, OnlyKnownTopicsOfOneClusterDiffer) {
  EXPECT_TRUE(Differs(kTopic, kOther));
  EXPECT_FALSE(Differs(kTopic, kTopic));
  EXPECT_FALSE(Differs(kTopic, kElsewhere)) << "the offsets were copied there";
  EXPECT_FALSE(Differs(kTopic, {}));
  EXPECT_FALSE(Differs({}, kOther));
}

}  // namespace
}  // namespace outrigger::kafka
