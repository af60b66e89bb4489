// How the metadata of one partition's commit is shared by the subscriptions of its group.
//
// Half of it is divided into equal parts, one for each, which it may always use; the other half is
// for whoever comes first. So a subscription that is behind can use up what is shared, and the
// others still go on within their parts.
//
// Pure. Thread: the deliver flow's. Lifetime: the PartitionOffsets outlive it. Cost of MayBegin:
// O(1), or O(subscriptions) beyond the own part.
#pragma once

#include <vector>

#include "deliver/offsets.h"

namespace outrigger::deliver {

class MetadataRoom {
 public:
  void Add(const PartitionOffsets& of) { all_.push_back(&of); }
  void Remove(const PartitionOffsets& of) { std::erase(all_, &of); }

  // As PartitionOffsets::MayBegin, with regard to the others.
  bool MayBegin(const PartitionOffsets& of, int64_t offset) const;

 private:
  // What a subscription's part is longer by than the metadata of a group of one.
  static constexpr size_t kSectionMax = 12;

  size_t shared() const;  // the half that is not divided

  std::vector<const PartitionOffsets*> all_;
};

}  // namespace outrigger::deliver
