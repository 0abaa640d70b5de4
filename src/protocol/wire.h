// Messages as bytes and back (frame.h; byte by byte in docs/FORMATS.md).
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "protocol/messages.h"

namespace longtail {

/// Writes a message into `out`, replacing what is there. Targets and sink of a pull stay at home.
///
/// Pointers in the message must be set, and arrays must agree with their keys in size.
/// Cost: one copy of the bulk; no allocation but for `out`'s growth and a list of the arrays.
void Encode(const Message& message, std::string& out);

/// Reads a message. Bulk spans point into aligned memory that the message owns, so `frame` may be
/// freed. A pull has empty targets and no sink.
///
/// Errors: InvalidArgument naming the message, the field, its value, what was wanted and the
/// offset.
///         No size in the bytes is used before it was compared with a limit and with what remains.
/// Cost: one allocation and one copy for all bulk of a message.
/// Thread: any.
absl::StatusOr<Message> Decode(std::span<const std::byte> frame);

}  // namespace longtail
