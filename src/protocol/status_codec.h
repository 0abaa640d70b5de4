// An outcome that travels: its code and its message. Payloads do not.
#pragma once

#include "absl/status/status.h"
#include "base/bytes.h"
#include "protocol/field_reader.h"

namespace longtail {

/// Writes the code (32 bits) and the message, cut to kStatusMessageSizeMax characters.
void EncodeStatus(const absl::Status& status, ByteWriter& writer);

/// Reads what EncodeStatus wrote; an unknown code, or a message with code 0, is refused.
absl::Status DecodeStatus(FieldReader& reader);

}  // namespace longtail
