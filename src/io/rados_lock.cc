#include "io/rados_lock.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/status_macros.h"
#include "io/this_process.h"

namespace longtail {
namespace {

constexpr const char* kLockName = "longtail";
constexpr int kRenewalsPerLease = 3;
constexpr absl::Duration kAskAgainAfter = absl::Milliseconds(200);
constexpr absl::Duration kLeaseMargin = absl::Seconds(1);

}  // namespace

RadosLock::RadosLock(std::unique_ptr<RadosPool> pool, const std::string& name, absl::Duration lease)
    : pool_(std::move(pool)),
      name_(name),
      object_(StoreLockName(name)),
      cookie_(absl::StrCat(ProcessName(), "/", absl::Hex(DrawIncarnation()))),
      lease_(lease) {}

absl::StatusOr<std::unique_ptr<StoreLock>> RadosLock::Acquire(const RadosAddress& address,
                                                              const std::string& name,
                                                              OnLost on_lost) {
  RadosAddress own = address;
  own.timeout =
      std::max(absl::Seconds(1), absl::Floor(address.lease / kRenewalsPerLease, absl::Seconds(1)));
  own.timeout = std::min(own.timeout, address.timeout);
  LONGTAIL_ASSIGN_OR_RETURN(std::unique_ptr<RadosPool> pool, RadosPool::Connect(own));
  std::unique_ptr<RadosLock> lock(new RadosLock(std::move(pool), name, address.lease));
  const absl::Time begin = absl::Now();
  const absl::Time until = begin + address.lease + kLeaseMargin;
  absl::Status locked = lock->Lock();
  // Nothing is held yet, so a store that is slow has as long as for anything else.
  while ((absl::IsFailedPrecondition(locked) && absl::Now() < until) ||
         (absl::IsUnavailable(locked) && absl::Now() < begin + address.timeout)) {
    absl::SleepFor(kAskAgainAfter);
    locked = lock->Lock();
  }
  LONGTAIL_RETURN_IF_ERROR(locked);
  lock->renewal_ = std::make_unique<LeaseRenewal>(
      address.lease / kRenewalsPerLease, [held = lock.get()] { return held->Lock(); },
      std::move(on_lost));
  return lock;
}

RadosLock::~RadosLock() {
  const bool is_held = renewal_ != nullptr;
  renewal_.reset();
  if (is_held) rados_unlock(pool_->io(), object_.c_str(), kLockName, cookie_.c_str());
}

// Takes it, or renews it where it is ours.
absl::Status RadosLock::Lock() {
  timeval lease = absl::ToTimeval(lease_);
  const int error = rados_lock_exclusive(pool_->io(), object_.c_str(), kLockName, cookie_.c_str(),
                                         cookie_.c_str(), &lease, LIBRADOS_LOCK_FLAG_MAY_RENEW);
  if (error == -EBUSY) return HeldByAnother();
  if (error < 0) return pool_->Problem(error, "locking object", object_);
  return absl::OkStatus();
}

absl::Status RadosLock::HeldByAnother() const {
  std::array<char, 1024> tag{};
  std::array<char, 1024> clients{};
  std::array<char, 1024> cookies{};
  std::array<char, 1024> addresses{};
  std::size_t tag_size = tag.size();
  std::size_t clients_size = clients.size();
  std::size_t cookies_size = cookies.size();
  std::size_t addresses_size = addresses.size();
  int is_exclusive = 0;
  const ssize_t count = rados_list_lockers(
      pool_->io(), object_.c_str(), kLockName, &is_exclusive, tag.data(), &tag_size, clients.data(),
      &clients_size, cookies.data(), &cookies_size, addresses.data(), &addresses_size);
  std::string holder = "(not known)";
  if (count > 0) {
    const std::string cookie(cookies.data());  // One exclusive locker; each text ends with '\0'.
    holder = absl::StrCat(cookie.substr(0, cookie.rfind('/')), " at ", addresses.data());
  }
  return absl::FailedPreconditionError(
      absl::StrCat("'", pool_->address().place(), "' is in use by another ", name_, ", process ",
                   holder, ": end it, or use another place; if it ended just now, its lease of ",
                   absl::FormatDuration(lease_), " ends too"));
}

}  // namespace longtail
