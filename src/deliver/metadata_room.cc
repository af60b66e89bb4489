#include "deliver/metadata_room.h"

#include <algorithm>

namespace outrigger::deliver {

size_t MetadataRoom::shared() const {
  const size_t fixed = all_.size() * (PartitionOffsets::kMetadataMargin + kSectionMax);
  return (kMetadataMax - std::min(kMetadataMax, fixed)) / 2;
}

bool MetadataRoom::MayBegin(const PartitionOffsets& of, int64_t offset) const {
  if (all_.size() < 2) return of.MayBegin(offset);
  if (of.MayAlwaysBegin(offset)) return true;
  const size_t own = shared() / all_.size();
  const auto beyond = [own](size_t size) { return size - std::min(size, own); };
  size_t used = beyond(of.BoundWith(offset));
  if (used == 0) return true;
  for (const PartitionOffsets* other : all_)
    if (other != &of) used += beyond(other->Bound());
  return used <= shared();
}

}  // namespace outrigger::deliver
