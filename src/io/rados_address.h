// Where a store in Ceph is and how it is reached: rados://POOL[/NAMESPACE][?OPTION=VALUE&...].
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace longtail {

/// Options: conf, mon, user, keyring, keyfile, timeout, lease. Without `conf` and `mon`, librados
/// looks for its configuration where it always does.
struct RadosAddress {
  std::string pool;
  std::string name_space;  ///< May have '/'; empty: the pool's own.
  std::string conf;        ///< A ceph.conf.
  /// Monitors, as ceph.conf's mon_host has them. In the address, each may have a name in front, as
  /// Rook writes them: "a=10.0.0.1:6789,b=10.0.0.2:6789".
  std::string monitors;
  std::string user = "admin";                  ///< Without "client." in front.
  std::string keyring;                         ///< A file with "[client.USER]" and "key = ...".
  std::string key_file;                        ///< A file with the key alone.
  absl::Duration timeout = absl::Seconds(30);  ///< Of each operation, in whole seconds.
  absl::Duration lease = absl::Seconds(15);    ///< Of a lock, in whole seconds.

  /// "rados://pool/namespace", for messages.
  std::string place() const;
};

/// Errors: InvalidArgument, naming the address and what is wrong, and the options that there are.
absl::StatusOr<RadosAddress> ParseRadosAddress(const std::string& address);

}  // namespace longtail
