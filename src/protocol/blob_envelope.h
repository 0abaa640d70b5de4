// What every stored binary format begins with, and how it is checked before anything else is read.
//
//   0  8  magic          …  8  size of what follows the header ("stored size")
//   8  4  version        …  8  XXH3-64 of the header before it and of what follows the header
//
// The last two fields end the header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace longtail {

struct BlobEnvelope {
  std::string_view magic;     ///< Eight characters.
  std::uint32_t version = 1;  ///< The newest that is read.
  std::size_t header_bytes = 0;
};

/// Appends the last two fields of the header, which is the whole of `blob` so far, as zeros.
void AppendSeal(std::string& blob);

/// Fills them in, once all that follows the header is appended.
void Seal(const BlobEnvelope& envelope, std::string& blob);

/// Checks magic, version, size and checksum; `what` names the blob in messages.
///
/// Errors: InvalidArgument (foreign or newer); DataLoss (truncated or damaged).
absl::Status CheckSeal(const BlobEnvelope& envelope, const std::string& what,
                       std::span<const std::byte> blob);

}  // namespace longtail
