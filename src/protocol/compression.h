// zstd, for stored bytes whose size is known before and after.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace longtail {

/// Appends the compressed form of `bytes` to `out`, at level 1: a snapshot must not wait for it.
void AppendCompressed(std::string_view bytes, std::string& out);

/// Decompresses to just `size` bytes, never more; the caller has compared `size` with a limit.
///
/// Errors: InvalidArgument if the bytes are no whole zstd frame or give another size.
/// Cost:   memory of `size`.
absl::StatusOr<std::string> Decompressed(std::span<const std::byte> compressed, std::uint64_t size);

}  // namespace longtail
