// How far a partition is: what travels in the metadata of Kafka's offset commit, and how it is
// written there.
//
// Pure; a plain value. Encode and Decode are inverse; Decode takes nothing but what Encode wrote
// for the same offset, so foreign, cut, damaged or moved metadata is ignored (and then more is
// delivered again, nothing lost).
//
// Format "or1:", of a group of one subscription: the four characters, then base64url without
// padding (RFC 4648 section 5) of
//   form      one byte: 0 nothing settled above, 1 runs, 2 bits; the shorter one is written
//   runs      count, then count × (unsettled before it ≥ 1, settled ≥ 1), from `committed` on
//   bits      number of bytes, then bytes; bit i (lowest first) is the offset committed + 1 + i
//   attempts  count, then count × (offset minus the one before, at first minus `committed`;
//             attempts ≥ 1)
//   check     CRC-32 (ISO 3309) of all of the above and `committed` as 8 bytes, 4 bytes; both
//             with the lowest byte first
// where numbers are LEB128 varints.
// "or2:", written where the times of first tries are known, has behind the attempts
//   first     the earliest time, then for each of the attempts its distance from that, plus 1; 0:
//             not known
// "or3:", of a group of several subscriptions:
//   sections  count, then for each subscription
//     name      SubscriptionId of it, 4 bytes, lowest first
//     ahead     how far its own oldest unsettled offset, O, is beyond the committed one
//     form … attempts as above, with O for `committed`
//     first     where it has attempts: as in or2, or a single 0: no time is known
//   check     as above
// A subscription that has no section was not in the group: it begins at the committed offset.
// "or1:" and "or2:" do not say whose they are, so a group of several ignores them; a group of one
// reads all three.
//
// A form or prefix that is not known makes it foreign, so a newer format takes a new prefix.
// Progress with nothing to carry is the empty string, as other clients write it. A broker takes
// 4096 bytes (offset.metadata.max.bytes): contract section 4, from 75 % on fetching pauses. Compare
// confluentinc/parallel-consumer's run lengths and mailgun/kafka-pixy's ranges.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace outrigger::deliver {

struct OffsetRange {
  int64_t begin = 0;
  int64_t end = 0;  // exclusive

  bool operator==(const OffsetRange&) const = default;
};

struct Progress {
  int64_t committed = 0;             // the next offset that Kafka gives; every one below is settled
  std::vector<OffsetRange> settled;  // above `committed`; in order, neither empty nor touching
  std::vector<std::pair<int64_t, uint32_t>> attempts;  // of unsettled offsets, > 0, in order
  // When each of `attempts` was tried first, in tenths of a second since 1970; 0: not known. Empty:
  // of none.
  std::vector<int64_t> first_tries = {};

  bool operator==(const Progress&) const = default;
};

// The broker's limit, less the topic's identity that the consumer writes before it
// (kafka/topic_identity.h).
inline constexpr size_t kMetadataMax = 4096 - 64;

std::string EncodeMetadata(const Progress& progress);

// Sizes of its parts, so that its length is known without writing it: of a number, and of an
// entry's count of attempts at most.
inline size_t NumberBytes(uint64_t number) {
  size_t bytes = 1;
  for (; number >= 0x80; number >>= 7) ++bytes;
  return bytes;
}
inline constexpr size_t kAttemptBytes = 2;
// The length of the text at most: `settled` are the bytes of the runs or bits, `attempts` those of
// the list of attempts, both without the numbers that lead them.
inline size_t MetadataSize(size_t settled, size_t attempts) {
  constexpr size_t kPrefix = 4, kForm = 1, kCounts = 2 * 4, kCheck = 4;
  return kPrefix + ((kForm + kCounts + settled + attempts + kCheck) * 4 + 2) / 3;
}

// The same, cut to `limit` where it is longer: the highest settled offsets are left out first
// (they are delivered again after a crash), then the highest offsets' attempts. The times of first
// tries are for people, and never the reason for a pause: they go where it would come near.
std::string EncodeWithin(Progress progress, size_t limit = kMetadataMax);

// What the sections of "or3:" are named by: the CRC-32 of the subscription's name. Two of one group
// must not have the same (check.h).
uint32_t SubscriptionId(std::string_view name);

// One subscription of a group of several; `progress.committed` is its own oldest unsettled offset.
struct Section {
  uint32_t id = 0;
  Progress progress;

  bool operator==(const Section&) const = default;
};
// `committed`: of the group, and beyond no section's. Cut to `limit` as EncodeWithin does, of the
// longest section first.
std::string EncodeSections(int64_t committed, std::vector<Section> sections,
                           size_t limit = kMetadataMax);
// nullopt: not ours, damaged, written for another offset than `committed`, or of another format.
std::optional<std::vector<Section>> DecodeSections(std::string_view text, int64_t committed);

// nullopt: not ours, damaged, or written for another offset than `committed`.
std::optional<Progress> DecodeMetadata(std::string_view text, int64_t committed);

// Whether fetching may go on with metadata of that size.
inline bool FitsMetadata(size_t size, size_t limit = kMetadataMax / 4 * 3) { return size <= limit; }

}  // namespace outrigger::deliver
