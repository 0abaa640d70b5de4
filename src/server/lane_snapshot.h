// Writes the partitions of a lane to the blob store while the lane goes on.
//
// All partitions are cut in one step of the lane (sparse/row_cut.h), so their rows and sessions
// stand at one position of its log. From then on a little is written with every step: as much as
// makes the rows that change meanwhile, and must be kept, be fewer than a third of those there are;
// and a little whenever the lane has nothing else to do. If the store is so slow that more is kept
// than is allowed, the lane waits for the store.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "protocol/messages.h"
#include "protocol/snapshot_writer.h"
#include "protocol/step.h"
#include "server/partition_core.h"

namespace longtail::server {

class LaneSnapshot {
 public:
  struct Job {
    NodeId self{};
    NodeId source{};
    std::uint64_t request = 0;
    std::string prefix;
    std::uint32_t partition_count = 1;
    bool is_base = false;  ///< For the log; pushes that wait for their step are kept elsewhere.
    std::uint64_t checkpoint = 0;  ///< This and the next as SnapshotRequest has them.
    std::uint64_t base = 0;
    bool is_increment = false;
    WireValues values = WireValues::kFloat32;
  };

  struct Options {
    /// Of its writes, which no other snapshot that may have writes under way has.
    std::uint64_t first_ticket = 1;
    /// Of rows, that a step writes on at least: about a tenth of a millisecond's work.
    std::uint64_t slice_bytes = std::uint64_t{256} << 10;
    /// Of rows that are kept because they changed, beyond a quarter of all.
    std::uint64_t kept_bytes_max = std::uint64_t{64} << 20;
    /// Of a chunk, before compression. There are up to three at a time, and one compressed.
    std::size_t chunk_bytes = std::size_t{8} << 20;
  };

  explicit LaneSnapshot(const Options& options)
      : options_(options), next_ticket_(options.first_ticket) {}

  /// Begins a snapshot; its SnapshotReply follows when every blob is durable or one has failed.
  /// Refused if another is under way, or a synchronous step is and the job does not allow for it.
  /// While a base is written, it waits for its end.
  void Start(const Job& job, std::vector<PartitionCore*> partitions, absl::Time now,
             Effects& effects);

  /// Goes on with it, if one is under way. After each step of the lane, and when it asked to be
  /// woken.
  void Advance(absl::Time now, Effects& effects);

  void OnStored(const StoreAnswer& answer, absl::Time now, Effects& effects);

  /// Gives it up, unless it is a base, which goes where nobody else writes: `why` is the answer.
  void Cancel(absl::Status why, Effects& effects);

  bool is_running() const { return is_running_; }

 private:
  // A partition as it was when it was cut, beside its rows.
  struct Cut {
    PartitionCore* partition = nullptr;
    SnapshotHeader header{};
    std::vector<SessionRecord> sessions{};
    std::uint32_t table_count = 0;
  };

  bool HasMore() const { return at_ < cuts_.size() && status_.ok(); }
  void WriteSome(std::uint64_t bytes, bool is_background, Effects& effects);
  std::uint64_t VisitSome();
  template <typename AnyTable>
  std::uint64_t VisitRows(const Cut& cut, AnyTable& table);
  std::uint64_t VisitGone(const absl::btree_set<Key>& gone);
  void BeginTable();
  void EndWriter();
  void Finish(absl::Time now, Effects& effects);
  void EndCuts();

  const Options options_;
  bool is_running_ = false;
  Job job_;
  std::optional<Job> waiting_;  // For the end of a base,
  std::vector<PartitionCore*> waiting_partitions_;
  std::vector<Cut> cuts_;
  std::size_t at_ = 0;       // The partition that is written,
  std::uint32_t table_ = 0;  // and the table of it;
  // once its rows are: of an increment, the next of the keys that went.
  std::optional<absl::btree_set<Key>::const_iterator> gone_at_;
  std::optional<SnapshotWriter> writer_;
  std::vector<SnapshotChunk> chunks_;  // Handed out, to become writes.
  // Those that are written, by ticket, and memory of those that were.
  absl::flat_hash_map<std::uint64_t, std::shared_ptr<SnapshotChunk>> written_;
  std::vector<RowBlock> spares_;
  std::uint64_t row_bytes_ = 0;     // Of all that was cut.
  std::uint64_t copied_bytes_ = 0;  // As of the last step.
  std::size_t writes_left_ = 0;     // Chunks that are not yet durable.
  std::uint64_t next_ticket_;
  std::uint64_t job_ticket_ = 0;  // The first of this job's.
  absl::Status status_;
  SnapshotReply reply_;
};

}  // namespace longtail::server
