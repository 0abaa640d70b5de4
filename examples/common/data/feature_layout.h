// What the columns of a batch are called.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace longtail::examples {

/// The numbers and fields of every batch of one source, in the batch's order.
struct FeatureLayout {
  std::vector<std::string> numeric_names;
  std::vector<std::string> field_names;
  bool has_groups = false;

  std::uint32_t numeric_count() const { return static_cast<std::uint32_t>(numeric_names.size()); }
  std::uint32_t field_count() const { return static_cast<std::uint32_t>(field_names.size()); }
};

}  // namespace longtail::examples
