// zstd, for stored bytes whose size is known before and after.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace longtail {

/// Appends the compressed form of `bytes` to `out`. Repetitions go, entropy stays: rows that were
/// trained are noise but for their exponents, for which zstd's level 1 took 6 % of the bytes and a
/// whole core's gigabyte a second; this takes five, and reading it back ten.
void AppendCompressed(std::string_view bytes, std::string& out);

/// The same behind the first `start` bytes of `out`, in place of what follows them: that is room
/// already, which need not be made and filled again.
void CompressBehind(std::string_view bytes, std::size_t start, std::string& out);

/// Decompresses to just `size` bytes, never more; the caller has compared `size` with a limit.
///
/// Errors: InvalidArgument if the bytes are no whole zstd frame or give another size.
/// Cost:   memory of `size`.
absl::StatusOr<std::string> Decompressed(std::span<const std::byte> compressed, std::uint64_t size);

/// The same in place of what `bytes` has, whose memory is used again: new memory costs more to be
/// filled by the system, and then with zeros, than to be decompressed to.
absl::Status DecompressInto(std::span<const std::byte> compressed, std::uint64_t size,
                            std::string& bytes);

}  // namespace longtail
