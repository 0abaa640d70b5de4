// Blobs as objects of a pool in Ceph.
//
// A blob of up to kRadosPartBytes is one object of its name. A larger one is cut: its further parts
// are objects of names that no blob can have, written side by side before the head, which names
// them; the head is replaced in one step, so a reader sees the old blob or the new one. The parts
// of the old blob are removed last.
//
//   "step-7/MANIFEST.json"                  the head: the first bytes; attribute "longtail"
//   "step-7/p0.snap~5f0c3a9be1d27c44.1"     the next ones, of the write 5f0c...
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/blob_store.h"
#include "io/rados_pool.h"
#include "protocol/object_header.h"

namespace longtail {

/// Bytes of each object but a blob's last: large enough for a disk, small enough that several are
/// on their way at once.
inline constexpr std::uint32_t kRadosPartBytes = std::uint32_t{4} << 20;

/// Operations of one call that are under way at once.
inline constexpr std::size_t kRadosOperationsMax = 8;

/// Thread: any; calls may overlap, but not two writes of one name.
class RadosStore final : public BlobStore {
 public:
  /// Errors: as ParseRadosAddress and RadosPool::Connect.
  static absl::StatusOr<std::unique_ptr<RadosStore>> Open(const std::string& address);

  /// Errors: InvalidArgument (name, larger than kBlobBytesMax); as RadosPool::Problem. After
  ///         Unavailable the old blob or the new one is there.
  /// Cost:   memory of kRadosOperationsMax parts.
  absl::Status Write(std::string_view name, std::string_view bytes) override;

  /// Cost: reads the blob and writes all of it. Lanes' logs are kept in files.
  absl::Status Extend(std::string_view name, std::uint64_t from, std::string_view bytes) override;

  /// Errors: InvalidArgument (name, or an object that Longtail did not write); NotFound; DataLoss,
  ///         naming the object that is damaged or gone; as RadosPool::Problem.
  absl::StatusOr<std::string> Read(std::string_view name) override;

  /// Cost: a walk over all objects of the namespace.
  absl::StatusOr<std::vector<std::string>> List(std::string_view prefix) override;

  absl::Status Remove(std::string_view name) override;

  /// Cost: as List.
  absl::Status RemoveUnfinished(std::string_view prefix) override;

  std::string Describe() const override { return pool_->address().place(); }

 private:
  explicit RadosStore(std::unique_ptr<RadosPool> pool) : pool_(std::move(pool)) {}

  absl::Status WriteParts(const std::string& name, const ObjectHeader& blob,
                          std::string_view bytes);
  absl::StatusOr<ObjectHeader> ReadHead(const std::string& name, std::string& bytes) const;
  absl::Status ReadParts(const std::string& name, const ObjectHeader& head,
                         std::string& bytes) const;
  absl::StatusOr<ObjectHeader> HeaderOf(const std::string& name) const;
  absl::Status RemoveObjects(const std::vector<std::string>& objects) const;
  absl::StatusOr<std::vector<std::string>> Objects(std::string_view prefix) const;
  std::string What(const std::string& object, const std::string& name) const;

  const std::unique_ptr<RadosPool> pool_;
};

}  // namespace longtail
