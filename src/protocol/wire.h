// Messages as bytes and back (frame.h; byte by byte in docs/FORMATS.md).
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "protocol/frame_writer.h"
#include "protocol/messages.h"

namespace longtail {

/// Writes a message into `out`, replacing what is there. Targets and sink of a pull stay at home.
///
/// Pointers in the message must be set, and arrays must agree with their keys in size.
/// Cost: one copy of the bulk; no allocation but for `out`'s growth and a list of the arrays.
void Encode(const Message& message, std::string& out);

/// As Encode, with arrays of at least `array_bytes_min` (more than 0) left where they are:
/// `pieces`, one after another, are the frame. Their texts are in `out`; the first one holds all
/// but arrays. The message's arrays must stay until the pieces are no longer needed.
void EncodeInPieces(const Message& message, std::size_t array_bytes_min, std::string& out,
                    std::vector<FramePiece>& pieces);

/// Reads a message. Bulk spans point into aligned memory that the message owns, so `frame` may be
/// freed. A pull has empty targets and no sink.
///
/// Errors: InvalidArgument naming the message, the field, its value, what was wanted and the
/// offset.
///         No size in the bytes is used before it was compared with a limit and with what remains.
/// Cost: one allocation and one copy for all bulk of a message.
/// Thread: any.
absl::StatusOr<Message> Decode(std::span<const std::byte> frame);

/// Reads a message whose frame came in parts, cut anywhere behind its fields. With an `owner` that
/// keeps the parts, arrays that lie aligned in one part stay there, and the message keeps it.
///
/// Errors: as above; InvalidArgument if there is no part, or the first ends within the fields.
/// Cost: one allocation for all arrays that do not stay, and a copy of them.
absl::StatusOr<Message> Decode(std::span<const std::span<const std::byte>> parts,
                               std::shared_ptr<const void> owner = nullptr);

}  // namespace longtail
