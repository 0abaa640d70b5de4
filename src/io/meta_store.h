// The seam between a coordinator and where its state is kept: small values, each replaced only by
// who has seen the newest.
//
// Implementations: a directory (file_meta_store.h), objects in Ceph (rados_meta_store.h), etcd
// (etcd_meta_store.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace longtail {

/// The largest value, in bytes: what etcd takes in one request, with room for the rest of it.
inline constexpr std::size_t kMetaBytesMax = std::size_t{1} << 20;

/// The longest that a call on a server takes, whatever its address allows: a coordinator does
/// nothing else meanwhile, and those it hears from must not have been silent for a lease by then.
inline constexpr absl::Duration kMetaTimeoutMax = absl::Seconds(5);

struct MetaValue {
  std::string bytes;
  std::uint64_t version = 0;  ///< 0: nothing is kept under the name.
};

/// Names are those of blobs. Thread: any; calls may overlap.
class MetaStore {
 public:
  virtual ~MetaStore() = default;

  /// Errors: InvalidArgument (name); DataLoss; PermissionDenied; Unavailable.
  virtual absl::StatusOr<MetaValue> Read(std::string_view name) = 0;

  /// Replaces the value if its version is `expected`, and gives the new version; when it returns OK
  /// the value is durable. After Unavailable it may have been replaced all the same: the next Swap
  /// of this object by the same `expected` finds that out, and goes on from there.
  ///
  /// Errors: Aborted, another value is there; InvalidArgument (name, larger than kMetaBytesMax);
  ///         ResourceExhausted; PermissionDenied; Unavailable.
  virtual absl::StatusOr<std::uint64_t> Swap(std::string_view name, std::string_view bytes,
                                             std::uint64_t expected) = 0;

  /// Where it is, for messages.
  virtual std::string Describe() const = 0;
};

/// Errors: InvalidArgument, for what no store takes.
absl::Status ValidateMetaValue(std::string_view name, std::string_view bytes);

}  // namespace longtail
