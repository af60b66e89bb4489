#include "store/row.h"

#include <gtest/gtest.h>

#include <string>

namespace outrigger::store {
namespace {

Row Whole() {
  Row row;
  row.id = 42;
  row.event_id = "id-1";
  row.source = "/app";
  row.target = 2;
  row.fingerprint = 0xFEDCBA9876543210;
  row.record.topic = "user.events";
  row.record.partition = 3;
  row.record.timestamp_ms = 1'700'000'000'000;
  row.record.key = "user-1";
  row.record.value = std::string("\0value", 6);
  row.record.headers = {{"ce_type", "user.created"}, {"none", std::nullopt}, {"empty", ""}};
  row.dead_letter = "dlq.topic";
  row.accepted_ms = 1'700'000'000'123;
  return row;
}

uint32_t ChecksumOf(const Row& row) { return ChecksumOf(row, EncodeHeaders(row.record.headers)); }

TEST(Headers, ComeBackAsTheyWereWithNullsAndEmptyValuesApart) {
  const auto headers = Whole().record.headers;
  EXPECT_EQ(DecodeHeaders(EncodeHeaders(headers)), headers);
  EXPECT_EQ(DecodeHeaders(""), std::vector<event::Header>());
}

TEST(Headers, BytesThatAreNoneAreRefused) {
  const std::string whole = EncodeHeaders(Whole().record.headers);
  for (size_t size = 1; size < whole.size(); ++size) {
    const auto decoded = DecodeHeaders(whole.substr(0, size));
    EXPECT_LT(decoded.value_or(std::vector<event::Header>()).size(), 3U) << size;
  }
  EXPECT_EQ(DecodeHeaders(std::string("\xFF\xFF\xFF\xFF", 4)), std::nullopt) << "a null name";
}

TEST(Checksum, IsTheCrc32OfTheColumnsAsTheSchemaSays) {
  // Computed by another implementation, bit by bit.
  EXPECT_EQ(ChecksumOf(Whole()), 0xA9B001E2U);
}

TEST(Checksum, EveryColumnCounts) {
  const uint32_t whole = ChecksumOf(Whole());
  const auto differs = [whole](auto change) {
    Row row = Whole();
    change(row);
    return ChecksumOf(row) != whole;
  };
  EXPECT_TRUE(differs([](Row& row) { row.id = 43; }));
  EXPECT_TRUE(differs([](Row& row) { row.event_id = "id-2"; }));
  EXPECT_TRUE(differs([](Row& row) { row.source = "/other"; }));
  EXPECT_TRUE(differs([](Row& row) { row.target = 1; }));
  EXPECT_TRUE(differs([](Row& row) { row.fingerprint = 0; }));
  EXPECT_TRUE(differs([](Row& row) { row.record.topic = "user.event"; }));
  EXPECT_TRUE(differs([](Row& row) { row.record.partition = -1; }));
  EXPECT_TRUE(differs([](Row& row) { row.record.timestamp_ms = 0; }));
  EXPECT_TRUE(differs([](Row& row) { row.record.key.reset(); }));
  EXPECT_TRUE(differs([](Row& row) { row.record.value = ""; }));
  EXPECT_TRUE(differs([](Row& row) { row.record.headers.pop_back(); }));
  EXPECT_TRUE(differs([](Row& row) { row.dead_letter.clear(); }));
  EXPECT_TRUE(differs([](Row& row) { row.accepted_ms = 0; }));
}

TEST(Checksum, WhatMovesFromOneColumnToTheNextIsSeen) {
  Row one;
  one.event_id = "ab";
  one.source = "c";
  Row two;
  two.event_id = "a";
  two.source = "bc";
  EXPECT_NE(ChecksumOf(one), ChecksumOf(two));
  Row null;
  Row empty;
  empty.record.key = "";
  EXPECT_NE(ChecksumOf(null), ChecksumOf(empty));
}

}  // namespace
}  // namespace outrigger::store
