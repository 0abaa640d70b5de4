// Examples kept in slots, packed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "examples/common/data/batch.h"
#include "examples/common/data/batch_writer.h"
#include "examples/common/data/feature_layout.h"

namespace longtail::examples {

/// Numbered slots, each with one example as bytes:
///
///   label f32 | group u64, with groups | numbers f32 each | has values u8 |
///   key count of each field as a varint | keys u64 each | values f32 each, with values
///
/// A slot that is replaced by a longer example moves to the end of the bytes; once half of them are
/// not in use, all are moved together.
class ExampleStore {
 public:
  explicit ExampleStore(const FeatureLayout& layout) : layout_(layout) {}

  /// Adds a slot with example `i` of `batch`.
  void Add(const Batch& batch, std::size_t i);

  /// Puts example `i` of `batch` into `slot`, in place of the one there.
  void Replace(std::size_t slot, const Batch& batch, std::size_t i);

  /// Removes `slot`; the last slot takes its number.
  void Remove(std::size_t slot);

  /// Writes the example in `slot` as one whole example.
  void Write(std::size_t slot, BatchWriter& writer) const;

  std::size_t size() const { return slots_.size(); }

  /// Bytes in use and not: what the examples take, without the slots' own 12 bytes each.
  std::size_t byte_count() const { return bytes_.size(); }

 private:
  struct Slot {
    std::uint64_t begin = 0;
    std::uint32_t capacity = 0;
  };

  void Pack(const Batch& batch, std::size_t i);
  void Place(Slot& slot);
  void Compact();

  const FeatureLayout layout_;
  std::vector<Slot> slots_;
  std::vector<char> bytes_;
  std::size_t unused_ = 0;    // Bytes of bytes_ that belong to no slot.
  std::vector<char> packed_;  // The example being placed.
};

}  // namespace longtail::examples
