// Appends examples to a batch, part by part, and takes an unfinished one back.
#pragma once

#include <cstddef>
#include <cstdint>

#include "examples/common/data/batch.h"
#include "examples/common/data/feature_layout.h"

namespace longtail::examples {

/// A batch with this many keys is full, whatever the number of its examples: offsets are 32 bits.
inline constexpr std::size_t kBatchKeysMax = std::size_t{1} << 30;

/// Writes one example as: AddNumeric for each number, then for each field AddKey as often as it
/// has keys and EndField, then EndExample. AbortExample forgets what came after the last
/// EndExample.
class BatchWriter {
 public:
  /// Empties `batch`, which must outlive the writer, and gives it the shape of `layout`.
  BatchWriter(const FeatureLayout& layout, Batch& batch) : batch_(batch) {
    batch_.Clear();
    batch_.numeric_count = layout.numeric_count();
    batch_.field_count = layout.field_count();
    batch_.offsets.push_back(0);
  }

  void AddNumeric(float value) { batch_.numeric.push_back(value); }

  void AddKey(Key key) {
    batch_.keys.push_back(key);
    if (!batch_.values.empty()) batch_.values.push_back(1.0F);
  }

  /// As AddKey; the batch has values from the first one on that is not 1.
  void AddKey(Key key, float value) {
    if (value != 1.0F && batch_.values.empty()) batch_.values.assign(batch_.keys.size(), 1.0F);
    const bool has_values = value != 1.0F || !batch_.values.empty();
    batch_.keys.push_back(key);
    if (has_values) batch_.values.push_back(value);
  }

  void EndField() { batch_.offsets.push_back(static_cast<std::uint32_t>(batch_.keys.size())); }

  void EndExample(float label) {
    batch_.labels.push_back(label);
    ++batch_.size;
  }

  void EndExample(float label, std::uint64_t group) {
    batch_.groups.push_back(group);
    EndExample(label);
  }

  void AbortExample() {
    batch_.numeric.resize(batch_.size * batch_.numeric_count);
    batch_.offsets.resize(batch_.size * batch_.field_count + 1);
    batch_.keys.resize(batch_.offsets.back());
    if (!batch_.values.empty()) batch_.values.resize(batch_.keys.size());
  }

  bool IsFull(std::size_t example_count_max) const {
    return batch_.size >= example_count_max || batch_.keys.size() >= kBatchKeysMax;
  }

 private:
  Batch& batch_;
};

}  // namespace longtail::examples
