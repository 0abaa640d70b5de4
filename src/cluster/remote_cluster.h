// A cluster of server processes, as a program that joins it sees it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "base/log.h"
#include "base/mutex.h"
#include "cluster/coordinator_link.h"
#include "cluster/lane_connections.h"
#include "io/cluster_map_holder.h"
#include "io/this_process.h"
#include "io/zmq_network.h"
#include "longtail/cluster.h"
#include "server/cluster_control.h"

namespace longtail {

class RemoteCluster final : public Cluster {
 public:
  static absl::StatusOr<std::unique_ptr<RemoteCluster>> Start(const RemoteOptions& options);

  ~RemoteCluster() override;

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
  absl::Status LoadTables(const CheckpointName& from,
                          const std::vector<std::string>& tables) override;
  absl::Status RollBack(const std::string& name) override;
  std::optional<RollbackInfo> last_rollback() const override;
  absl::Status Barrier(const std::string& name, std::uint32_t participants,
                       std::chrono::milliseconds timeout) override;
  std::uint64_t unaudited_evictions() const override { return 0; }  // Servers keep no audit yet.
  std::uint64_t restored_step() const override { return restored_step_; }
  const ClusterOptions& options() const override { return options_; }

 private:
  // The sessions of this process's workers: what the pulse keeps alive.
  struct Sessions {
    Mutex mutex;
    std::vector<SessionId> open ABSL_GUARDED_BY(mutex);
    // Readers, or that had been, and control calls under way: without a session they want to know
    // where lanes are, too.
    std::uint32_t watchers ABSL_GUARDED_BY(mutex) = 0;
  };
  // A control call that is under way.
  class Watch;

  explicit RemoteCluster(std::unique_ptr<ZmqNetwork> network)
      : network_(std::move(network)),
        sessions_(std::make_shared<Sessions>()),
        incarnation_(DrawIncarnation()) {}
  absl::Status Join(const RemoteOptions& options);
  absl::Status Refresh() const;
  absl::StatusOr<std::unique_ptr<Worker>> ConnectAt(const WorkerPlace& place,
                                                    const WorkerOptions& options);
  void Leave(SessionId session);

  const std::unique_ptr<ZmqNetwork> network_;
  const std::shared_ptr<Sessions> sessions_;
  const std::uint64_t incarnation_;
  ClusterOptions options_;
  std::unique_ptr<LaneConnections> connections_;
  std::unique_ptr<ClusterMapHolder> map_;
  std::unique_ptr<ControlClient> client_;
  std::unique_ptr<server::ClusterControl> control_;
  std::uint64_t restored_step_ = 0;
  std::unique_ptr<CoordinatorLink> link_;  // Last: its thread uses the others.
};

}  // namespace longtail
