// The cluster of one process: lanes on a loopback network.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "base/mutex.h"
#include "io/blob_store.h"
#include "io/core_loop.h"
#include "io/loopback.h"
#include "longtail/cluster.h"
#include "server/control_client.h"
#include "server/lane_core.h"
#include "server/rank_registry.h"
#include "worker/cluster_map_holder.h"

namespace longtail::server {

class EmbeddedCluster final : public Cluster {
 public:
  static absl::StatusOr<std::unique_ptr<EmbeddedCluster>> Start(const ClusterOptions& options);

  ~EmbeddedCluster() override;

  absl::StatusOr<TableId> CreateTable(const TableSpec& spec) override;
  absl::StatusOr<TableId> FindTable(std::string_view name) const override;
  absl::StatusOr<std::unique_ptr<Worker>> Connect(const WorkerOptions& options) override;
  absl::StatusOr<TableStatistics> Statistics(TableId table) override;
  absl::StatusOr<std::vector<TableReport>> AllStatistics() override;
  absl::StatusOr<CheckpointInfo> Checkpoint(const std::string& name,
                                            const TrainerState& trainer) override;
  std::uint64_t unaudited_evictions() const override;
  std::uint64_t restored_step() const override { return restored_step_; }
  const ClusterOptions& options() const override { return options_; }

  /// Brings tables, rows and step of a checkpoint into this cluster, which must be new.
  absl::Status Load(const CheckpointName& from);

 private:
  struct Lane {
    std::unique_ptr<Transport> transport;
    std::unique_ptr<LaneCore> core;
    std::unique_ptr<EvictionAudit> audit;  // Null: none is kept.
    std::unique_ptr<CoreLoop> loop;
  };

  EmbeddedCluster(const ClusterOptions& options, std::unique_ptr<BlobStore> store,
                  std::vector<std::unique_ptr<EvictionAudit>> audits);

  absl::Status ImportBlock(const ClusterMap& map, RowBlock rows);

  const ClusterOptions options_;
  const std::unique_ptr<BlobStore> store_;  // Null: none was named.
  LoopbackNetwork network_;
  std::vector<Lane> lanes_;
  std::unique_ptr<ClusterMapHolder> map_;
  std::unique_ptr<ControlClient> control_;
  std::uint64_t restored_step_ = 0;

  Mutex tables_mutex_;      // One new table at a time.
  Mutex checkpoint_mutex_;  // One checkpoint at a time: two of one name would mix.
  const std::shared_ptr<RankRegistry> ranks_;
};

}  // namespace longtail::server
