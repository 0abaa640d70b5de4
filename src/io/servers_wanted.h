// How many servers a cluster is to have, where whoever runs it has written that down.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace longtail {

/// `place` is a file whose first line is the number, or statefulset://NAME[?api=URL&account=DIR]:
/// the StatefulSet of that name, in the namespace of this process's pod. `api` and `account` are
/// where Kubernetes answers and where the pod's account lies, if not where every pod has them.
///
/// Errors: InvalidArgument (the place, or what it holds); NotFound; PermissionDenied (the account
///         may not read the StatefulSet's scale); Unavailable, naming who did not answer within
///         `timeout`; Unimplemented (a build without libcurl). All name the place.
absl::StatusOr<std::uint32_t> ReadServersWanted(const std::string& place, absl::Duration timeout);

/// The number at the end of a server's name, as Kubernetes names pods: 3 of "longtail-server-3".
///
/// Errors: InvalidArgument, naming it.
absl::StatusOr<std::uint32_t> OrdinalOf(const std::string& server);

}  // namespace longtail
