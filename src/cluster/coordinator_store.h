// Where a coordinator's state is kept, for one coordinator at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "io/blob_store.h"
#include "io/meta_store.h"
#include "io/store_lock.h"

namespace longtail {

/// A blob store of one blob, for a CoreLoop. Each write is refused once another coordinator has
/// taken the state over, since it replaces only what this one read or wrote. Thread: any.
class CoordinatorStore final : public BlobStore {
 public:
  /// Called at most once, from any thread, when another coordinator has taken the state over. It
  /// must not destroy the store.
  using OnLost = std::function<void(const absl::Status& why)>;

  /// Locks what `address` names (as OpenMetaStore) and takes the state over by writing what is
  /// there once more: whoever had it before can write no more.
  ///
  /// Errors: FailedPrecondition naming the coordinator that has it; as OpenMetaStore.
  static absl::StatusOr<std::unique_ptr<CoordinatorStore>> Open(const std::string& address,
                                                                OnLost on_lost);

  /// Errors: FailedPrecondition (another has taken the state over); as MetaStore::Swap.
  absl::Status Write(std::string_view name, std::string_view bytes) override;

  /// Errors: Unimplemented: the state is written as a whole.
  absl::Status Extend(std::string_view name, std::uint64_t from, std::string_view bytes) override;

  /// What was there when the store was opened, or was written since. Errors: NotFound.
  absl::StatusOr<std::string> Read(std::string_view name) override;

  absl::StatusOr<std::vector<std::string>> List(std::string_view prefix) override;

  /// Errors: Unimplemented: a coordinator does not forget.
  absl::Status Remove(std::string_view name) override;
  absl::Status RemoveUnfinished(std::string_view) override { return absl::OkStatus(); }
  std::string Describe() const override { return values_->Describe(); }

 private:
  CoordinatorStore(std::unique_ptr<MetaStore> values, OnLost on_lost)
      : values_(std::move(values)), on_lost_(std::move(on_lost)) {}

  absl::Status TakeOver();
  void Lost(const absl::Status& why);

  const std::unique_ptr<MetaStore> values_;
  const OnLost on_lost_;

  Mutex mutex_;
  MetaValue value_ ABSL_GUARDED_BY(mutex_);
  absl::Status lost_ ABSL_GUARDED_BY(mutex_);  // Why, once another has the state.

  std::unique_ptr<StoreLock> lock_;  // Last: its thread may call Lost.
};

}  // namespace longtail
