// Writes the partitions of a lane to the blob store, one after another.
//
// All chunks of a partition are cut in one step of the lane, so its rows and its sessions stand at
// one log position; a partition is in memory twice while it is written, compressed. The lane
// answers nothing else in between: the loop carries out writes before it takes the next event.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "protocol/messages.h"
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
  };

  /// Begins a snapshot; its SnapshotReply follows when every blob is durable or one has failed.
  /// Refused if another is under way, or a synchronous step is and the job does not allow for it.
  void Start(const Job& job, std::vector<const PartitionCore*> partitions, Effects& effects);

  void OnStored(const StoreAnswer& answer, Effects& effects);

  bool is_running() const { return is_running_; }

 private:
  void Next(Effects& effects);
  void Finish(Effects& effects);

  bool is_running_ = false;
  Job job_;
  std::vector<const PartitionCore*> partitions_;
  std::size_t done_ = 0;         // Partitions whose chunks are durable.
  std::size_t writes_left_ = 0;  // Chunks of the current one that are not.
  std::uint64_t next_ticket_ = 1;
  absl::Status status_;
  SnapshotReply reply_;
};

}  // namespace longtail::server
