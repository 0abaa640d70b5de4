// Files of whole numbers: blocks of documents, and the topics of their tokens.
//
//   "LTTOPIC1" | arrays u64 | size of each u64 | numbers u32 each | XXH3 of all before u64
//
// in little-endian order.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace longtail::examples {

/// Writes the arrays in the place of what is there, whole or not at all.
///
/// Errors: Unavailable naming the file (is the disk full?).
absl::Status WriteNumberFile(const std::string& path,
                             std::span<const std::span<const std::uint32_t>> arrays);

/// Reads a file of `array_count` arrays.
///
/// Errors: NotFound; DataLoss naming the file and what is wrong (its head, size or checksum).
absl::StatusOr<std::vector<std::vector<std::uint32_t>>> ReadNumberFile(const std::string& path,
                                                                       std::size_t array_count);

}  // namespace longtail::examples
