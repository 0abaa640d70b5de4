// The names that blobs of every store may have.
#pragma once

#include <cstddef>
#include <string_view>

#include "absl/status/status.h"

namespace longtail {

/// The longest part of a blob's name between '/': what common file systems take, with room for '~'.
inline constexpr std::size_t kBlobNamePartSizeMax = 200;

/// Errors: InvalidArgument, naming what is wrong with a blob's name; see BlobStore.
absl::Status ValidateBlobName(std::string_view name);

}  // namespace longtail
