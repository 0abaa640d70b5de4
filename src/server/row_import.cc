#include "server/row_import.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "base/mutex.h"
#include "base/status_macros.h"
#include "server/checkpoint_reader.h"
#include "server/snapshot_name.h"

namespace longtail::server {
namespace {

constexpr std::size_t kReadersMax = 4;
// Blocks read and not yet taken, for each reader: it waits with more, as long as lanes may take to
// answer. Who waits for a reader waits for the store, whose operations end in time.
constexpr std::size_t kBlocksAhead = 2;

// What was read, between the readers and the one who gives it to the lanes.
class BlocksByLane {
 public:
  using Block = std::shared_ptr<RowBlock>;

  BlocksByLane(std::size_t lanes, std::size_t readers)
      : blocks_(lanes), blocks_max_(readers * kBlocksAhead), readers_(readers) {}

  /// False if nobody wants more.
  bool Put(std::size_t lane, Block block) {
    const MutexLock lock(&mutex_);
    while (count_ >= blocks_max_ && !is_over_) changed_.Wait(&mutex_);
    if (is_over_) return false;
    blocks_[lane].push_back(std::move(block));
    ++count_;
    changed_.SignalAll();
    return true;
  }

  /// A block that the lanes have: its memory is used again.
  void Return(Block block) {
    if (block.use_count() != 1) return;  // Somebody still has it.
    // Who let go of it last, perhaps a lane that was asked twice, has read all of it by now.
    std::atomic_thread_fence(std::memory_order_acquire);
    const MutexLock lock(&mutex_);
    if (spares_.size() < blocks_max_) spares_.push_back(std::move(*block));
  }

  /// A block's memory, with anything in it.
  RowBlock TakeSpare() {
    const MutexLock lock(&mutex_);
    if (spares_.empty()) return {};
    RowBlock spare = std::move(spares_.back());
    spares_.pop_back();
    return spare;
  }

  /// A reader ended.
  void End(const absl::Status& status) {
    const MutexLock lock(&mutex_);
    if (status_.ok()) status_ = status;
    if (!status.ok()) is_over_ = true;
    --readers_;
    changed_.SignalAll();
  }

  /// Nobody wants more.
  void Stop() {
    const MutexLock lock(&mutex_);
    is_over_ = true;
    changed_.SignalAll();
  }

  /// The next block of each lane that has one, as soon as one has; none at the end.
  ///
  /// Errors: the first of a reader's.
  absl::StatusOr<std::vector<std::pair<std::size_t, Block>>> Take() {
    const MutexLock lock(&mutex_);
    while (count_ == 0 && readers_ != 0 && !is_over_) changed_.Wait(&mutex_);
    if (!status_.ok()) return status_;
    std::vector<std::pair<std::size_t, Block>> taken;
    for (std::size_t lane = 0; lane < blocks_.size(); ++lane) {
      if (blocks_[lane].empty()) continue;
      taken.emplace_back(lane, std::move(blocks_[lane].front()));
      blocks_[lane].pop_front();
    }
    count_ -= taken.size();
    changed_.SignalAll();
    return taken;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::vector<std::deque<Block>> blocks_ ABSL_GUARDED_BY(mutex_);  // By the lane's number.
  std::vector<RowBlock> spares_ ABSL_GUARDED_BY(mutex_);
  const std::size_t blocks_max_;
  std::size_t count_ ABSL_GUARDED_BY(mutex_) = 0;
  std::size_t readers_ ABSL_GUARDED_BY(mutex_);  // Those that go on.
  bool is_over_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

// A block's rows by the number of their lane. A partition of the checkpoint is mostly one here.
bool Sort(const ClusterMap& map, RowBlock rows, BlocksByLane& blocks) {
  const auto partitions = static_cast<std::uint32_t>(map.lane_of.size());
  const auto lane_of = [&](Key key) {
    return static_cast<std::size_t>(
        map.lane_of[static_cast<std::size_t>(PartitionOf(key, partitions))]);
  };
  if (rows.keys.empty()) return true;
  const std::size_t first = lane_of(rows.keys[0]);
  if (std::ranges::all_of(rows.keys, [&](Key key) { return lane_of(key) == first; })) {
    return blocks.Put(first, std::make_shared<RowBlock>(std::move(rows)));
  }
  std::vector<BlocksByLane::Block> by_lane(map.lanes.size());
  for (std::size_t i = 0; i < rows.keys.size(); ++i) {
    BlocksByLane::Block& block = by_lane[lane_of(rows.keys[i])];
    if (block == nullptr) {
      block = std::make_shared<RowBlock>();
      block->table = rows.table;
      block->value_count = rows.value_count;
    }
    AppendRow(rows, i, *block);
  }
  for (std::size_t lane = 0; lane < by_lane.size(); ++lane) {
    if (by_lane[lane] != nullptr && !blocks.Put(lane, std::move(by_lane[lane]))) return false;
  }
  return true;
}

// The reader of a partition's blobs: one for all, since an increment's are read together. Readers
// are at different lanes, if partitions are as they were.
std::size_t ReaderOf(const RowImport& import, const SnapshotBlob& blob, std::size_t readers) {
  const std::optional<SnapshotPlace> place = PlaceOfSnapshot(blob.name);
  if (!place) return 0;  // A foreign name is said by who reads it.
  const auto partition = static_cast<std::size_t>(place->partition);
  const bool are_same = import.manifest.partition_count == import.map.lane_of.size();
  return (are_same && partition < import.map.lane_of.size() ? import.map.lane_of[partition]
                                                            : partition) %
         readers;
}

absl::Status Read(const RowImport& import, std::size_t reader, std::size_t readers,
                  BlocksByLane& blocks) {
  return ReadChunks(
      import.store, import.manifest,
      [&](const SnapshotBlob& blob) { return ReaderOf(import, blob, readers) == reader; },
      [&](const SnapshotBlob&, SnapshotChunk& chunk) {
        for (SnapshotTable& table : chunk.tables) {
          const std::optional<TableId> here = import.table_here(table.rows.table);
          if (!here) continue;
          table.rows.table = *here;
          if (!Sort(import.map, std::move(table.rows), blocks)) {
            return absl::CancelledError("nobody takes what is read");
          }
          table.rows = blocks.TakeSpare();
        }
        return absl::OkStatus();
      });
}

}  // namespace

absl::Status ImportCheckpoint(const RowImport& import, GiveRows give) {
  const std::size_t readers = std::clamp<std::size_t>(import.map.lanes.size(), 1, kReadersMax);
  BlocksByLane blocks(import.map.lanes.size(), readers);
  std::vector<std::jthread> threads;
  for (std::size_t reader = 0; reader < readers; ++reader) {
    threads.emplace_back([&, reader] { blocks.End(Read(import, reader, readers, blocks)); });
  }
  for (;;) {
    auto taken = blocks.Take();
    absl::Status status = taken.status();
    if (status.ok() && taken->empty()) return absl::OkStatus();
    if (status.ok()) {
      std::vector<NodeId> lanes;
      std::vector<std::shared_ptr<const RowBlock>> rows;
      for (const auto& [lane, block] : *taken) {
        lanes.push_back(import.map.lanes[lane]);
        rows.push_back(block);
      }
      status = give(lanes, rows);
      rows.clear();
      for (auto& [lane, block] : *taken) blocks.Return(std::move(block));
    }
    if (status.ok()) continue;
    blocks.Stop();
    return status;
  }
}

}  // namespace longtail::server
