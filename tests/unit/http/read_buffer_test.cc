#include "http/read_buffer.h"

#include <gtest/gtest.h>

namespace outrigger::http {
namespace {

// A read with room for `room` bytes that brings `bytes`.
void Receive(ReadBuffer& buffer, std::string_view bytes, size_t room = 64) {
  const auto to = buffer.BeginRead(room);
  ASSERT_GE(to.size(), bytes.size());
  bytes.copy(to.data(), bytes.size());
  buffer.EndRead(bytes.size());
}

TEST(ReadBuffer, HoldsWhatWasReadUntilItIsUsed) {
  ReadBuffer buffer;
  EXPECT_EQ(buffer.unread(), "");
  Receive(buffer, "head body");
  buffer.Use(5);
  EXPECT_EQ(buffer.unread(), "body");
  Receive(buffer, " more");
  EXPECT_EQ(buffer.unread(), "body more");
  buffer.Use(9);
  EXPECT_EQ(buffer.unread(), "");
}

TEST(ReadBuffer, GivesEachReadExactlyTheRoomThatWasAskedFor) {
  ReadBuffer buffer;
  Receive(buffer, "abc", 100);
  EXPECT_EQ(buffer.BeginRead(10).size(), 10U);
  buffer.EndRead(0);
  EXPECT_EQ(buffer.BeginRead(1000).size(), 1000U);
}

TEST(ReadBuffer, ShowsNothingOfTheRoomWhileAReadIsUnderWay) {
  ReadBuffer buffer;
  Receive(buffer, "abc");
  buffer.BeginRead(100);
  EXPECT_TRUE(buffer.reading());
  EXPECT_EQ(buffer.unread(), "abc");
  buffer.EndRead(0);
  EXPECT_FALSE(buffer.reading());
  EXPECT_EQ(buffer.unread(), "abc");
}

TEST(ReadBuffer, KeepsTheMemoryOfAReadThatIsUnderWay) {
  ReadBuffer buffer;
  const auto room = buffer.BeginRead(1000);
  buffer.Discard();
  buffer.Shrink(0);
  room.back() = 'x';  // the address sanitizer would see it
  buffer.EndRead(room.size());
  EXPECT_EQ(buffer.unread().back(), 'x');
}

TEST(ReadBuffer, FreesItsMemoryOnlyWhenItIsLargeAndEmpty) {
  ReadBuffer buffer;
  Receive(buffer, "abc", 1000);
  const char* const memory = buffer.unread().data();
  buffer.Shrink(100);
  EXPECT_EQ(buffer.unread(), "abc");
  buffer.Use(3);
  buffer.Shrink(2000);
  EXPECT_EQ(buffer.BeginRead(10).data(), memory);
  buffer.EndRead(0);
  buffer.Shrink(100);
  Receive(buffer, "de", 10);
  EXPECT_EQ(buffer.unread(), "de");
}

TEST(ReadBuffer, KeepsWhatIsUnreadAfterTheEnd) {
  ReadBuffer buffer;
  Receive(buffer, "abc");
  EXPECT_FALSE(buffer.ended());
  buffer.BeginRead(10);
  buffer.EndRead(0);
  buffer.End();
  EXPECT_TRUE(buffer.ended());
  EXPECT_FALSE(buffer.reading());
  EXPECT_EQ(buffer.unread(), "abc");
}

}  // namespace
}  // namespace outrigger::http
