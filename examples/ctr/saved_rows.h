// Rows that were pulled ahead, as bytes of a trainer's state.
//
//   u64 n | u64 dim | n keys | n * dim floats | n u32 counts or none, little-endian
//
// Rows go by key: a cluster with another number of partitions puts them in another order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "longtail/ids.h"

namespace longtail::examples {

/// Shapes: keys [n]; rows [n, dim] at least; counts [n] at least, or empty.
std::string EncodeRows(std::span<const Key> keys, std::span<const float> rows,
                       std::span<const std::uint32_t> counts, std::size_t dim);

/// Puts the rows of `keys` into `rows`, and their counts, if they were saved, into `counts`.
///
/// Errors: DataLoss if the bytes are cut short, or have another dim or other keys.
absl::Status DecodeRows(std::string_view bytes, std::span<const Key> keys, std::size_t dim,
                        std::span<float> rows, std::span<std::uint32_t> counts);

}  // namespace longtail::examples
