// One entry of a trainer's own state as a blob: opaque bytes, compressed and checksummed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace longtail {

inline constexpr std::string_view kTrainerBlobMagic = "LTTRAINR";
inline constexpr std::uint32_t kTrainerBlobVersion = 1;
inline constexpr std::size_t kTrainerBlobHeaderBytes = 40;

/// Errors: InvalidArgument if `payload` has more than kTrainerBlobBytesMax bytes.
absl::StatusOr<std::string> EncodeTrainerBlob(std::string_view payload);

/// Gives the payload; `blob_name` is for messages.
///
/// Errors: DataLoss (truncated or flipped), InvalidArgument (foreign, newer, too large), naming the
///         blob, the offset and the cause.
absl::StatusOr<std::string> DecodeTrainerBlob(std::string_view blob_name,
                                              std::span<const std::byte> blob);

}  // namespace longtail
