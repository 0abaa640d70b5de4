// What a pod asks Kubernetes of the StatefulSet that it is one of.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace longtail {

/// A StatefulSet in the namespace of the pod that asks.
struct StatefulSet {
  std::string name;
  std::string api = "https://kubernetes.default.svc";
  /// The directory of a pod's account: namespace, token, ca.crt.
  std::string account = "/var/run/secrets/kubernetes.io/serviceaccount";
};

/// Its spec.replicas, from its scale: `get` of `statefulsets/scale` is all that the account needs.
///
/// Errors: as ReadServersWanted.
absl::StatusOr<std::uint32_t> ReadReplicas(const StatefulSet& set, absl::Duration timeout);

}  // namespace longtail
