// Rows that were pulled ahead, as bytes of a trainer's state.
//
//   u64 n | u64 dim | n keys | n * dim floats, little-endian
//
// Rows go by key: a cluster with another number of partitions puts them in another order.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "longtail/ids.h"

namespace longtail::examples {

/// Shapes: keys [n]; rows [n, dim] at least.
std::string EncodeRows(std::span<const Key> keys, std::span<const float> rows, std::size_t dim);

/// Puts the rows of `keys` into `rows`.
///
/// Errors: DataLoss if the bytes are cut short, or have another dim or other keys.
absl::Status DecodeRows(std::string_view bytes, std::span<const Key> keys, std::size_t dim,
                        std::span<float> rows);

}  // namespace longtail::examples
