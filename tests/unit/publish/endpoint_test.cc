#include "publish/endpoint.h"

#include <gtest/gtest.h>

namespace outrigger::publish {
namespace {

TEST(IngressEndpoint, APathWithoutAnArgumentIsTakenAsItIs) {
  EXPECT_TRUE(kEventsEndpoint.Matches("/v1/events"));
  EXPECT_FALSE(kEventsEndpoint.Matches("/v1/events/"));
  EXPECT_FALSE(kEventsEndpoint.Matches("/v1/event"));
}

TEST(IngressEndpoint, AnArgumentIsTheRestOfThePathAndNotEmpty) {
  EXPECT_TRUE(kTypeEndpoint.Matches("/v1/events/a.b"));
  EXPECT_EQ(kTypeEndpoint.Argument("/v1/events/a.b"), "a.b");
  EXPECT_EQ(kTypeEndpoint.Argument("/v1/events/a/b"), "a/b");
  EXPECT_FALSE(kTypeEndpoint.Matches("/v1/events/"));
  EXPECT_FALSE(kTypeEndpoint.Matches("/v1/events"));
  EXPECT_FALSE(kTopicEndpoint.Matches("/v1/events/a.b"));
}

TEST(IngressEndpoint, WhatIsReadIsTakenByHeadToo) {
  EXPECT_TRUE(kHealthEndpoint.Takes("GET"));
  EXPECT_TRUE(kHealthEndpoint.Takes("HEAD"));
  EXPECT_FALSE(kHealthEndpoint.Takes("POST"));
  EXPECT_TRUE(kEventsEndpoint.Takes("POST"));
  EXPECT_FALSE(kEventsEndpoint.Takes("GET"));
  EXPECT_FALSE(kEventsEndpoint.Takes("post"));
}

}  // namespace
}  // namespace outrigger::publish
