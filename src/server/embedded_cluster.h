// The cluster of one process: lanes on a loopback network.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "base/mutex.h"
#include "io/blob_store.h"
#include "io/cluster_map_holder.h"
#include "io/control_client.h"
#include "io/core_loop.h"
#include "io/loopback.h"
#include "longtail/cluster.h"
#include "server/cluster_control.h"
#include "server/lane_core.h"
#include "server/rank_registry.h"

namespace longtail::server {

class EmbeddedCluster final : public Cluster {
 public:
  static absl::StatusOr<std::unique_ptr<EmbeddedCluster>> Start(const ClusterOptions& options);

  ~EmbeddedCluster() override;

  absl::StatusOr<TableId> CreateTable(const TableSpec& spec) override;
  absl::StatusOr<TableId> FindTable(std::string_view name) const override;
  absl::StatusOr<std::unique_ptr<Worker>> Connect(const WorkerOptions& options) override;
  absl::StatusOr<std::unique_ptr<Worker>> ConnectReader(const WorkerOptions& options) override;
  absl::StatusOr<TableStatistics> Statistics(TableId table) override;
  absl::StatusOr<std::vector<TableReport>> AllStatistics() override;
  using Cluster::Checkpoint;
  absl::StatusOr<CheckpointInfo> Checkpoint(const std::string& name, const TrainerState& trainer,
                                            const CheckpointOptions& options) override;
  absl::Status Load(const CheckpointName& from) override;
  absl::Status Barrier(const std::string& name, std::uint32_t participants,
                       std::chrono::milliseconds timeout) override;
  std::uint64_t unaudited_evictions() const override;
  absl::Status LoadTables(const CheckpointName& from,
                          const std::vector<std::string>& tables) override;
  absl::Status RollBack(const std::string& name) override;
  std::optional<RollbackInfo> last_rollback() const override { return std::nullopt; }
  std::uint64_t restored_step() const override { return restored_step_; }
  const ClusterOptions& options() const override { return options_; }

 private:
  struct Lane {
    std::unique_ptr<Transport> transport;
    std::unique_ptr<LaneCore> core;
    std::unique_ptr<EvictionAudit> audit;  // Null: none is kept.
    std::unique_ptr<CoreLoop> loop;
  };

  EmbeddedCluster(const ClusterOptions& options, std::unique_ptr<BlobStore> store,
                  std::vector<std::unique_ptr<EvictionAudit>> audits);

  const ClusterOptions options_;
  LoopbackNetwork network_;
  std::vector<Lane> lanes_;
  std::unique_ptr<ClusterMapHolder> map_;
  std::unique_ptr<ControlClient> client_;
  std::unique_ptr<ClusterControl> control_;  // Owns the store, which lanes write to until they end.
  std::uint64_t restored_step_ = 0;

  Mutex tables_mutex_;  // One new table at a time.
  const std::shared_ptr<RankRegistry> ranks_;
};

}  // namespace longtail::server
