#include "sparse/row_cut.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace longtail::sparse {

RowCut::RowCut(const RowStore& store) : parts_{PartOf(store.full()), PartOf(store.tail())} {}

RowCut::RowCut(const RowStore& store, const RowChanges& changes) : RowCut(store) {
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    const std::vector<std::uint64_t>& changed = changes.changed(p == 1);
    std::vector<std::uint64_t>& unchanged = parts_[p].unchanged;
    for (std::size_t i = 0; i < unchanged.size(); ++i) {
      unchanged[i] &= i < changed.size() ? changed[i] : 0;
    }
  }
}

RowCut::Part RowCut::PartOf(const Slabs& slabs) {
  Part part{.at = 0,
            .end = slabs.end(),
            .row_bytes = slabs.row_bytes(),
            .rows_per_block = std::max<std::size_t>(1, kBlockBytes / slabs.row_bytes())};
  part.unchanged = slabs.taken();
  part.groups.resize((part.end + kGroupPlaces - 1) / kGroupPlaces);
  return part;
}

std::uint64_t RowCut::CountRows(bool is_tail) const {
  std::uint64_t rows = 0;
  for (const std::uint64_t word : parts_[is_tail ? 1 : 0].unchanged) {
    rows += static_cast<std::uint64_t>(std::popcount(word));
  }
  return rows;
}

void RowCut::Copy(Part& part, std::uint32_t number, const std::byte* row) {
  Group& group = part.groups[number / kGroupPlaces];
  if (group.slot_of.empty()) group.slot_of.resize(kGroupPlaces);
  const std::size_t in_block = group.count % part.rows_per_block;
  if (in_block == 0) {
    group.blocks.push_back(
        std::make_unique_for_overwrite<std::byte[]>(part.rows_per_block * part.row_bytes));
    kept_bytes_ += part.rows_per_block * part.row_bytes;
  }
  std::memcpy(group.blocks.back().get() + in_block * part.row_bytes, row, part.row_bytes);
  group.slot_of[number % kGroupPlaces] = ++group.count;
  copied_bytes_ += part.row_bytes;
}

const std::byte* RowCut::FindKept(const Part& part, std::uint32_t number) {
  const Group& group = part.groups[number / kGroupPlaces];
  if (group.slot_of.empty()) return nullptr;
  const std::size_t slot = group.slot_of[number % kGroupPlaces];
  if (slot == 0) return nullptr;
  return group.blocks[(slot - 1) / part.rows_per_block].get() +
         (slot - 1) % part.rows_per_block * part.row_bytes;
}

void RowCut::DropGroup(Part& part, std::uint32_t number) {
  Group& group = part.groups[number / kGroupPlaces];
  kept_bytes_ -= group.blocks.size() * part.rows_per_block * part.row_bytes;
  group = {};
}

}  // namespace longtail::sparse
