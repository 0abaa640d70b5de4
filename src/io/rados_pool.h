// One pool and namespace of a Ceph cluster: the connection, its bounds in time, its errors in
// words.
#pragma once

#include <rados/librados.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "io/rados_address.h"

namespace longtail {

/// No operation takes longer than the address's timeout: librados sends each again, to whichever
/// OSD has the object by then, until that time is over. Threads of librados' own serve it.
///
/// Thread: any.
class RadosPool {
 public:
  /// Errors: InvalidArgument (a file that cannot be read, an option that librados refuses);
  ///         PermissionDenied (wrong key, unknown user); NotFound (no such pool, naming those there
  ///         are); Unavailable (no monitor answers).
  /// Cost:   about 20 ms where the cluster is well.
  static absl::StatusOr<std::unique_ptr<RadosPool>> Connect(const RadosAddress& address);

  /// Operations under way are given up.
  ~RadosPool();
  RadosPool(const RadosPool&) = delete;
  RadosPool& operator=(const RadosPool&) = delete;

  rados_ioctx_t io() const { return io_; }
  const RadosAddress& address() const { return address_; }

  /// What librados' `error`, a negative number, means to a caller that was `doing` something with
  /// `object`: "rados://pool: writing 9 bytes to object 'a': ...".
  ///
  /// Errors: NotFound; PermissionDenied; ResourceExhausted (quota, full); InvalidArgument (too
  /// long,
  ///         too large); DataLoss (the OSD cannot read it); Unavailable for the rest.
  /// Cost:   for an operation that timed out, a question to the monitors, of a few seconds at most.
  absl::Status Problem(int error, const std::string& doing, const std::string& object) const;

 private:
  explicit RadosPool(const RadosAddress& address) : address_(address) {}

  absl::Status Configure();
  absl::Status Open();
  absl::Status ConnectProblem(int error) const;
  std::string PoolNames() const;
  std::string WhoIsSilent(const std::string& object) const;

  const RadosAddress address_;
  rados_t cluster_ = nullptr;
  rados_ioctx_t io_ = nullptr;
};

}  // namespace longtail
