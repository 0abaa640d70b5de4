// Where a coordinator's state in etcd is:
// etcd://HOST:PORT[,HOST:PORT...]/PREFIX[?OPTION=VALUE&...].
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace longtail {

/// Options: timeout, lease.
struct EtcdAddress {
  std::vector<std::string> endpoints;          ///< "host:port" of each member, at least one.
  std::string prefix;                          ///< Of all keys, without a '/' at the end.
  absl::Duration timeout = absl::Seconds(10);  ///< Of each operation, all members together.
  absl::Duration lease = absl::Seconds(15);    ///< Of a lock, in whole seconds.

  /// "etcd://host:port/prefix", for messages.
  std::string place() const;
};

/// Errors: InvalidArgument, naming the address and what is wrong, and the options that there are.
absl::StatusOr<EtcdAddress> ParseEtcdAddress(const std::string& address);

}  // namespace longtail
