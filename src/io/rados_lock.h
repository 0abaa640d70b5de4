// A lock on a pool's namespace in Ceph: an object that is locked for a lease, which is renewed.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "io/lease_renewal.h"
#include "io/rados_pool.h"
#include "io/store_lock.h"

namespace longtail {

/// Has a connection of its own, so that no large write holds up a renewal. It tells off others who
/// ask for it, but not who writes without asking: what must not be overwritten is kept by
/// MetaStore::Swap.
class RadosLock final : public StoreLock {
 public:
  /// Locks the object "NAME~lock". Where another has it, waits for longer than the address's lease:
  /// one that is still renewed then is of a process that lives. Asks again while there is no
  /// answer, for the address's timeout.
  ///
  /// Errors: FailedPrecondition naming who holds it; as RadosPool::Connect and RadosPool::Problem.
  static absl::StatusOr<std::unique_ptr<StoreLock>> Acquire(const RadosAddress& address,
                                                            const std::string& name,
                                                            OnLost on_lost);

  /// Lets go of it.
  ~RadosLock() override;

 private:
  RadosLock(std::unique_ptr<RadosPool> pool, const std::string& name, absl::Duration lease);

  absl::Status Lock();
  absl::Status HeldByAnother() const;

  const std::unique_ptr<RadosPool> pool_;
  const std::string name_;
  const std::string object_;
  const std::string cookie_;  // Names the process to others.
  const absl::Duration lease_;
  std::unique_ptr<LeaseRenewal> renewal_;
};

}  // namespace longtail
