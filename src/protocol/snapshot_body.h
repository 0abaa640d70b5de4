// The body of a snapshot's chunk before compression: tables in columns, then sessions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "protocol/snapshot_format.h"

namespace longtail {

/// Whether an increment may have its weights in this format: fp16 has not the range.
bool IsIncrementFormat(WireValues format);

/// Bytes in a body of one row as it is, of one row of counts, of one table beside its spec and
/// rows, of one session.
std::size_t SnapshotRowBytes(std::uint32_t value_count);
constexpr std::size_t SnapshotCountsBytes(std::size_t packed_bytes) {
  return sizeof(Key) + sizeof(std::uint32_t) + packed_bytes;
}
inline constexpr std::size_t kSnapshotTableBytes = 6 * sizeof(std::uint32_t);
inline constexpr std::size_t kSnapshotSessionBytes =
    sizeof(std::uint32_t) + 3 * sizeof(std::uint64_t);

/// Bytes of a body of no table and no session.
inline constexpr std::size_t kSnapshotEmptyBodyBytes = 2 * sizeof(std::uint32_t);

/// Appends tables and sessions of a chunk to `body`; its header is not part of the body, and says
/// in which form that is.
void AppendSnapshotBody(const SnapshotChunk& chunk, std::string& body);
std::string EncodeSnapshotBody(const SnapshotChunk& chunk);

/// Reads tables and sessions into `chunk`, in place of those it has and in their memory; its header
/// says in which form they are. `what` names the whole in messages.
///
/// Errors: InvalidArgument naming field, value, what was wanted and the offset in the body.
absl::Status DecodeSnapshotBody(std::string_view what, std::span<const std::byte> body,
                                SnapshotChunk& chunk);

}  // namespace longtail
