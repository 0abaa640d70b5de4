// Opens the meta store that an address names.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "io/meta_store.h"

namespace longtail {

/// `address` is a directory, which is made, rados://POOL[/NAMESPACE] (rados_address.h) or
/// etcd://HOST:PORT[,HOST:PORT]/PREFIX (etcd_address.h).
///
/// Errors: InvalidArgument (another scheme); Unimplemented (this build lacks that store); what the
///         store says.
absl::StatusOr<std::unique_ptr<MetaStore>> OpenMetaStore(const std::string& address);

}  // namespace longtail
