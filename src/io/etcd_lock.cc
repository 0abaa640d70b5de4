#include "io/etcd_lock.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/status_macros.h"
#include "io/this_process.h"

namespace longtail {
namespace {

constexpr int kRenewalsPerLease = 3;
constexpr absl::Duration kAskAgainAfter = absl::Milliseconds(200);
constexpr absl::Duration kLeaseMargin = absl::Seconds(2);  // etcd ends a lease up to a second late.

}  // namespace

EtcdLock::EtcdLock(const EtcdAddress& address, const std::string& name)
    : gateway_(address),
      name_(name),
      key_(absl::StrCat(address.prefix, "/", StoreLockName(name))),
      holder_(absl::StrCat(ProcessName(), "/", absl::Hex(DrawIncarnation()))) {}

absl::StatusOr<std::unique_ptr<StoreLock>> EtcdLock::Acquire(const EtcdAddress& address,
                                                             const std::string& name,
                                                             OnLost on_lost) {
  EtcdAddress own = address;
  own.timeout = std::min(own.timeout, std::max(absl::Seconds(1), own.lease / kRenewalsPerLease));
  std::unique_ptr<EtcdLock> lock(new EtcdLock(own, name));
  const absl::Time until = absl::Now() + address.lease + kLeaseMargin;
  absl::Status locked = lock->Lock();
  while (absl::IsFailedPrecondition(locked) && absl::Now() < until) {
    absl::SleepFor(kAskAgainAfter);
    locked = lock->Lock();
  }
  LONGTAIL_RETURN_IF_ERROR(locked);
  lock->renewal_ = std::make_unique<LeaseRenewal>(
      address.lease / kRenewalsPerLease, [held = lock.get()] { return held->Renew(); },
      std::move(on_lost));
  return lock;
}

EtcdLock::~EtcdLock() {
  renewal_.reset();
  if (lease_ != 0) gateway_.RevokeLease(lease_).IgnoreError();
}

absl::Status EtcdLock::Lock() {
  if (lease_ != 0 && absl::IsNotFound(gateway_.KeepLease(lease_))) lease_ = 0;
  if (lease_ == 0) {
    LONGTAIL_ASSIGN_OR_RETURN(lease_, gateway_.GrantLease(gateway_.address().lease));
  }
  LONGTAIL_ASSIGN_OR_RETURN(
      const std::uint64_t made,
      gateway_.Replace({.key = key_, .bytes = holder_, .expected = 0, .lease = lease_}));
  if (made != 0) return absl::OkStatus();
  LONGTAIL_ASSIGN_OR_RETURN(const EtcdGateway::Value found, gateway_.Get(key_));
  if (found.bytes == holder_) return absl::OkStatus();  // Made by a call that nobody answered.
  return absl::FailedPreconditionError(absl::StrCat(
      "'", gateway_.address().place(), "' is in use by another ", name_, ", process ",
      found.mod_revision == 0 ? "(not known)" : found.bytes.substr(0, found.bytes.rfind('/')),
      ": end it, or use another place; if it ended just now, its lease of ",
      absl::FormatDuration(gateway_.address().lease), " ends too"));
}

absl::Status EtcdLock::Renew() {
  const absl::Status kept = gateway_.KeepLease(lease_);
  // Held up for longer than the lease: whoever came first has it.
  return absl::IsNotFound(kept) ? Lock() : kept;
}

}  // namespace longtail
