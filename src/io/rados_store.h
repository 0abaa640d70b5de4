// Blobs as objects of a pool in Ceph.
//
// A blob of up to kRadosPartBytes is one object of its name. A larger one is cut: its further parts
// are objects of names that no blob can have, written side by side before the head, which names
// them; the head is replaced in one step, so a reader sees the old blob or the new one. The parts
// of the old blob are removed last.
//
//   "step-7/MANIFEST.json"                  the head: the first bytes; attribute "longtail"
//   "step-7/p0.snap~5f0c3a9be1d27c44.1"     the next ones, of the write 5f0c...
//
// A blob that is extended grows: its bytes are appended where they belong, and it ends with the
// first part that is not full. No more is needed to find its end, for its last part never is full.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "base/mutex.h"
#include "io/blob_store.h"
#include "io/rados_hold.h"
#include "io/rados_pool.h"
#include "protocol/object_header.h"

namespace longtail {

class RadosRead;
class RadosWrite;

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

  /// Opens it and takes the blobs "NAME/..." over, as the only ones that it shows and changes: see
  /// rados_hold.h. After that its calls fail with FailedPrecondition once another has them.
  ///
  /// Errors: as Open and RadosHold::Acquire.
  /// Cost:   a walk over all objects of the namespace, and two operations for each of NAME's.
  static absl::StatusOr<std::unique_ptr<RadosStore>> OpenHeld(const std::string& address,
                                                              const std::string& name,
                                                              StoreLock::OnLost on_lost);

  /// Of one that was opened so: see RadosHold::Check.
  absl::Status CheckHold() { return hold_->Check(); }

  /// Errors: InvalidArgument (name, larger than kBlobBytesMax); as RadosPool::Problem. After
  ///         Unavailable the old blob or the new one is there.
  /// Cost:   memory of kRadosOperationsMax parts.
  absl::Status Write(std::string_view name, std::string_view bytes) override;

  /// Errors: as Write.
  /// Cost:   one operation for each object that the bytes are of, side by side, of these bytes
  ///         alone; where it begins one, another one or two. Where this object did not write what
  ///         is before, or the last call failed, one more for each part. (A blob that Write made is
  ///         written anew.)
  absl::Status Extend(std::string_view name, std::uint64_t from, std::string_view bytes) override;

  /// Errors: InvalidArgument (name, or an object that Longtail did not write); NotFound; DataLoss,
  ///         naming the object that is damaged or gone; as RadosPool::Problem.
  absl::StatusOr<std::string> Read(std::string_view name) override;

  /// Cost: a walk over all objects of the namespace; of what it holds, none.
  absl::StatusOr<std::vector<std::string>> List(std::string_view prefix) override;

  absl::Status Remove(std::string_view name) override;

  /// Cost: a walk over all objects of the namespace.
  absl::Status RemoveUnfinished(std::string_view prefix) override;

  std::string Describe() const override { return pool_->address().place(); }

 private:
  // What is known of a blob that grows.
  struct Growth {
    std::uint64_t write_id = 0;
    std::uint32_t part_bytes = kRadosPartBytes;
    std::uint64_t end = 0;      // Bytes that are there for certain,
    bool is_all = false;        // and no others behind them.
    std::uint64_t version = 0;  // Of the part in which they end; 0: not known.

    ObjectHeader header() const {
      return {.part = 0, .part_count = 0, .part_bytes = part_bytes, .write_id = write_id};
    }
  };
  // An object as it was seen.
  struct Seen {
    std::uint64_t version = 0;
    std::uint64_t bytes = 0;
    std::string holder;
    absl::StatusOr<ObjectHeader> header;
  };
  // How an object was put where it is.
  struct Put {
    std::uint64_t version = 0;
    absl::StatusOr<ObjectHeader> replaced = absl::NotFoundError("nothing");
  };

  explicit RadosStore(std::unique_ptr<RadosPool> pool) : pool_(std::move(pool)) {}

  absl::Status WriteParts(const std::string& name, const ObjectHeader& blob,
                          std::string_view bytes);
  absl::StatusOr<ObjectHeader> ReadHead(const std::string& name, std::string& bytes) const;
  absl::Status ReadParts(const std::string& name, const ObjectHeader& head,
                         std::string& bytes) const;
  absl::StatusOr<Seen> See(const std::string& object) const;
  absl::StatusOr<Seen> TakeSeen(RadosRead& read, const std::string& object) const;
  absl::Status RemoveObjects(const std::vector<std::string>& objects) const;
  absl::Status RemoveParts(const std::string& name, const ObjectHeader& head) const;
  absl::StatusOr<std::vector<std::string>> Objects(std::string_view prefix) const;
  std::string What(const std::string& object, const std::string& name) const;
  absl::Status NoBlob(const std::string& name) const;
  // Whether an object with that attribute counts: all do for who holds none.
  bool Counts(const std::string& holder) const;
  absl::Status Admit(std::string_view name) const;

  // rados_store_growth.cc
  absl::StatusOr<Put> PutObject(const std::string& object, std::string_view data,
                                const ObjectHeader& header) const;
  absl::Status Begin(const std::string& name, std::string_view bytes);
  absl::StatusOr<Growth> GrowthOf(const std::string& name, std::uint64_t from);
  absl::StatusOr<std::uint64_t> GrownBytes(const std::string& name, ObjectHeader part) const;
  absl::StatusOr<std::uint64_t> AppendToPart(const std::string& object, std::uint64_t offset,
                                             std::string_view data, std::uint64_t version) const;
  absl::Status Grow(const std::string& name, const Growth& growth, std::uint64_t from,
                    std::string_view bytes, std::uint64_t& version) const;
  absl::Status ReadGrown(const std::string& name, const ObjectHeader& head,
                         std::string& bytes) const;
  absl::Status RemoveGrown(const std::string& name, const ObjectHeader& head) const;

  // rados_store_holding.cc
  absl::Status TakeOver();
  absl::StatusOr<std::map<std::string, Seen>> SeeAll(const std::vector<std::string>& objects) const;
  absl::Status ClaimAll(const std::vector<std::string>& objects,
                        const std::map<std::string, Seen>& seen) const;
  absl::Status RemoveOf(const std::string& holder, const std::string& object) const;
  void StartClaim(const std::string& object, const Seen& seen, RadosWrite& claim) const;
  absl::Status FinishClaim(const std::string& object, RadosWrite& claim) const;

  const std::unique_ptr<RadosPool> pool_;
  std::unique_ptr<RadosHold> hold_;  // Null: it holds nothing, and shows all.

  Mutex mutex_;
  std::map<std::string, Growth> growing_ ABSL_GUARDED_BY(mutex_);  // By name.
};

}  // namespace longtail
