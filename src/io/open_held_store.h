// Opens a store of which this process alone changes a part.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "io/held_store.h"
#include "io/store_lock.h"

namespace longtail {

/// Opens what `address` names, as OpenStore, and takes the blobs "NAME/..." over: from then on no
/// other process can change one, add one that counts or remove one, not even who had them before
/// and stood still meanwhile. On a directory the system sees to that (FileLock): it keeps others
/// out until this process has ended. In Ceph another can take them over once a lease is behind
/// that was not renewed (rados_hold.h): what is written then fails with FailedPrecondition, and
/// `on_lost` is called, as that of a StoreLock.
///
/// Errors: FailedPrecondition naming the process that has them; as OpenStore.
/// Cost:   in Ceph, where a process that has them ended, a wait for its lease, and two operations
///         for each object.
absl::StatusOr<HeldStore> OpenHeldStore(const std::string& address, const std::string& name,
                                        StoreLock::OnLost on_lost);

}  // namespace longtail
