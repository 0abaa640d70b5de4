// That one process at a time changes a part of a namespace in Ceph: the blobs "NAME/...".
//
// The value "NAME/holder" says who holds them, and each of their heads, and each part of one that
// grows, whose it is (kHolderAttribute). Who takes them over puts itself into the value first, then
// makes what it finds its own. From then on its predecessor, which may have stood still and know
// nothing of it, can change nothing that counts:
//
//   * what is there, it changes on the condition that it is as it saw it, its own;
//   * what it adds is another's than the holder's, and so no blob. It cannot take it for one: after
//     adding something a holder asks who holds them (Check), and whoever found itself in the value
//     then added before its successor looked for what is there.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "io/meta_store.h"
#include "io/rados_address.h"
#include "io/store_lock.h"

namespace longtail {

/// Thread: any.
class RadosHold {
 public:
  /// Locks what `address` names for "server-NAME" and puts this process into the value. `on_lost`
  /// is called at most once, from any thread, when another is there, or has the lock; it must not
  /// destroy the hold.
  ///
  /// Errors: FailedPrecondition naming the process that has the lock; DataLoss (the value is
  ///         damaged); as RadosLock::Acquire and RadosMetaStore.
  static absl::StatusOr<std::unique_ptr<RadosHold>> Acquire(const std::string& address,
                                                            const std::string& name,
                                                            StoreLock::OnLost on_lost);

  /// What its objects have as their holder: of this hold, and of no other.
  const std::string& id() const { return id_; }

  /// "NAME/".
  const std::string& prefix() const { return prefix_; }

  /// Whether objects of that holder count until they are made this one's own: the last holder's,
  /// those of holders before it that came no further, and nobody's.
  bool Follows(const std::string& holder) const;

  /// All there was is its own now.
  absl::Status Finish();

  /// Asks whether this process is still the holder.
  ///
  /// Errors: FailedPrecondition, another is; as RadosMetaStore::Read.
  absl::Status Check();

  /// Whether blobs of that name are its own to change, as far as it knows.
  ///
  /// Errors: InvalidArgument (not of the prefix); FailedPrecondition (another has them now).
  absl::Status Admit(std::string_view name) const;

  /// Its blobs. A write that nobody answered may have made one or not: it is among them.
  void Add(const std::string& name);
  void Forget(const std::string& name);
  bool Has(const std::string& name) const;
  std::vector<std::string> Names(std::string_view prefix) const;

 private:
  RadosHold(std::unique_ptr<MetaStore> values, const std::string& name, StoreLock::OnLost on_lost);

  absl::Status TakeOver();
  absl::StatusOr<std::vector<std::string>> ReadHolders(std::uint64_t& version) const;
  absl::Status Lost(const absl::Status& why);

  const std::unique_ptr<MetaStore> values_;
  const std::string name_;
  const std::string prefix_;
  const std::string id_;
  const StoreLock::OnLost on_lost_;
  std::vector<std::string> before_;  // Whose objects count; set before anybody else uses this.

  mutable Mutex mutex_;
  absl::Status lost_ ABSL_GUARDED_BY(mutex_);  // Why, once another holds them.
  std::set<std::string> names_ ABSL_GUARDED_BY(mutex_);

  std::unique_ptr<StoreLock> lock_;  // Last: its thread may call Lost.
};

}  // namespace longtail
