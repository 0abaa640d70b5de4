// Opens the blob store that an address names.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "io/blob_store.h"

namespace longtail {

/// `address` is a directory, or "file:" and a directory, which is made if it is not there; or
/// rados://POOL[/NAMESPACE][?OPTION=VALUE&...] (rados_address.h), whose pool must be there.
///
/// Errors: InvalidArgument (another scheme, naming it and those there are); Unimplemented (this
///         build lacks that store); what the store says.
absl::StatusOr<std::unique_ptr<BlobStore>> OpenStore(const std::string& address);

/// As OpenStore, for reading: the store must be there and nothing is made.
///
/// Errors: as OpenStore; NotFound.
absl::StatusOr<std::unique_ptr<BlobStore>> OpenExistingStore(const std::string& address);

}  // namespace longtail
