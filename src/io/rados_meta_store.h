// Values as objects of a pool in Ceph; a value's version is its object's.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "io/meta_store.h"
#include "io/rados_pool.h"

namespace longtail {

/// Each value is a blob of one object, as RadosStore has them. Thread: any; calls may overlap.
class RadosMetaStore final : public MetaStore {
 public:
  /// Errors: as ParseRadosAddress and RadosPool::Connect.
  static absl::StatusOr<std::unique_ptr<RadosMetaStore>> Open(const std::string& address);

  absl::StatusOr<MetaValue> Read(std::string_view name) override;
  absl::StatusOr<std::uint64_t> Swap(std::string_view name, std::string_view bytes,
                                     std::uint64_t expected) override;
  std::string Describe() const override { return pool_->address().place(); }

 private:
  struct Found {
    MetaValue value;
    std::uint64_t write_id = 0;
  };

  explicit RadosMetaStore(std::unique_ptr<RadosPool> pool) : pool_(std::move(pool)) {}

  absl::StatusOr<Found> Find(const std::string& name) const;
  bool IsOfUnknownOutcome(const std::string& name, std::uint64_t write_id);

  const std::unique_ptr<RadosPool> pool_;

  Mutex mutex_;
  /// Writes of this object that nobody answered: each may have been done.
  std::map<std::string, std::vector<std::uint64_t>> unknown_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace longtail
