#include "kafka/packed_headers.h"

#include <gtest/gtest.h>

namespace outrigger::kafka {
namespace {

const std::vector<event::Header> kHeaders{{"ce_id", "42"},
                                          {"", ""},
                                          {"null", std::nullopt},
                                          {"bytes", std::string("\0\xff\xff\xff\xff", 5)}};

TEST(PackedHeaders, AreUnpackedAsTheyWere) {
  EXPECT_EQ(PackedHeaders(kHeaders).Unpack(), kHeaders);
  EXPECT_TRUE(PackedHeaders().Unpack().empty());
}

TEST(PackedHeaders, ShowEachInOrderAndTellNullFromEmpty) {
  const PackedHeaders packed(kHeaders);
  EXPECT_EQ(packed.count(), 4u);
  std::vector<event::Header> seen;
  packed.Each([&seen](std::string_view name, std::optional<std::string_view> value) {
    seen.push_back({std::string(name), std::nullopt});
    if (value) seen.back().value = std::string(*value);
  });
  EXPECT_EQ(seen, kHeaders);
}

}  // namespace
}  // namespace outrigger::kafka
