// A lock in etcd: a key that goes with a lease, which is renewed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "io/etcd_gateway.h"
#include "io/lease_renewal.h"
#include "io/store_lock.h"

namespace longtail {

class EtcdLock final : public StoreLock {
 public:
  /// Makes the key "PREFIX/NAME~lock". Where another has it, waits for longer than the address's
  /// lease: one that is still renewed then is of a process that lives.
  ///
  /// Errors: FailedPrecondition naming who holds it; as EtcdGateway.
  static absl::StatusOr<std::unique_ptr<StoreLock>> Acquire(const EtcdAddress& address,
                                                            const std::string& name,
                                                            OnLost on_lost);

  /// Lets go of it.
  ~EtcdLock() override;

 private:
  EtcdLock(const EtcdAddress& address, const std::string& name);

  absl::Status Lock();
  absl::Status Renew();

  EtcdGateway gateway_;
  const std::string name_;
  const std::string key_;
  const std::string holder_;  // Names the process to others, and is no other's.
  std::uint64_t lease_ = 0;
  std::unique_ptr<LeaseRenewal> renewal_;
};

}  // namespace longtail
