// The bytes of a flat float buffer in a checkpoint.
//
//   offset  0  magic, 4 bytes
//           4  version, u32
//           8  fingerprint, u64: what the floats mean
//          16  step, u64
//          24  count, u64
//          32  floats [count]
//
// Little-endian. No checksum: the checkpoint that carries the blob has one.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace longtail::examples {

/// What stands before the floats.
struct FlatBlobHeader {
  char magic[4] = {};
  std::uint32_t version = 1;
  std::uint64_t fingerprint = 0;
  std::uint64_t step = 0;
  std::uint64_t count = 0;
};
static_assert(sizeof(FlatBlobHeader) == 32);

/// Returns header and floats as bytes; header.count is set from `values`.
std::string EncodeFlatBlob(FlatBlobHeader header, std::span<const float> values);

/// Copies the floats out, if the header is the wanted one.
///
/// Shapes: values [want.count].
/// Errors: DataLoss if `bytes` is no blob of that magic and version or has another size than its
///         header says; FailedPrecondition if fingerprint or count differ. Values are unchanged.
absl::Status DecodeFlatBlob(std::string_view bytes, const FlatBlobHeader& want, std::uint64_t& step,
                            std::span<float> values);

}  // namespace longtail::examples
