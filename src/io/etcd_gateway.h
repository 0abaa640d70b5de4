// etcd v3 through its JSON gateway: keys and leases as calls, over HTTP.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "io/etcd_address.h"

namespace longtail {

/// Asks one member after the other until one answers or the address's timeout is over. A change may
/// have been made though nobody answered. Thread: any; calls follow one another.
class EtcdGateway {
 public:
  struct Value {
    std::string bytes;
    std::uint64_t mod_revision = 0;  ///< 0: there is no such key.
  };
  /// A key that is to be replaced, if its mod_revision is `expected`; 0: if there is none.
  struct Replacement {
    std::string key;
    std::string bytes;
    std::uint64_t expected = 0;
    std::uint64_t lease = 0;  ///< The key goes with this lease; 0: it stays.
  };

  explicit EtcdGateway(EtcdAddress address);
  ~EtcdGateway();
  EtcdGateway(const EtcdGateway&) = delete;
  EtcdGateway& operator=(const EtcdGateway&) = delete;

  const EtcdAddress& address() const { return address_; }

  /// Errors: Unavailable, naming the members and what each said; PermissionDenied;
  ///         ResourceExhausted (etcd's own quota); InvalidArgument. So of all calls.
  absl::StatusOr<Value> Get(const std::string& key);

  /// The new mod_revision, or 0: nothing was replaced.
  absl::StatusOr<std::uint64_t> Replace(const Replacement& replacement);

  /// A new lease's number.
  absl::StatusOr<std::uint64_t> GrantLease(absl::Duration duration);

  /// Errors: also NotFound, the lease has ended.
  absl::Status KeepLease(std::uint64_t lease);

  /// Ends a lease, and removes its keys.
  absl::Status RevokeLease(std::uint64_t lease);

 private:
  struct Connection;

  absl::StatusOr<std::string> Post(const std::string& path, const std::string& request);

  const EtcdAddress address_;
  Mutex mutex_;
  const std::unique_ptr<Connection> connection_ ABSL_PT_GUARDED_BY(mutex_);
  std::size_t member_ ABSL_GUARDED_BY(mutex_) = 0;  // The one that answered last.
};

}  // namespace longtail
