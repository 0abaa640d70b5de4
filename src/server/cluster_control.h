// What a program asks of a cluster beside pulls and pushes, wherever the lanes are: statistics,
// checkpoints, restoring.
//
// Thread: any; calls may overlap.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "io/blob_store.h"
#include "io/cluster_map_holder.h"
#include "io/control_client.h"
#include "longtail/checkpoint.h"
#include "longtail/ids.h"
#include "longtail/statistics.h"
#include "server/checkpoint_writer.h"
#include "server/row_import.h"

namespace longtail::server {

class ClusterControl {
 public:
  struct Options {
    absl::Duration control_timeout = absl::Seconds(30);
    absl::Duration checkpoint_timeout = absl::Seconds(600);
    std::string store_address{};  ///< As the user gave it; empty: there is none.
  };

  /// `map` and `client` must outlive it. `store` may be null.
  ClusterControl(Options options, const ClusterMapHolder& map, ControlClient& client,
                 std::unique_ptr<BlobStore> store)
      : options_(std::move(options)), map_(map), client_(client), store_(std::move(store)) {}

  /// Errors: as Cluster's.
  absl::StatusOr<TableId> FindTable(std::string_view name) const;
  absl::StatusOr<TableStatistics> Statistics(TableId table);
  absl::StatusOr<std::vector<TableReport>> AllStatistics();
  absl::StatusOr<CheckpointInfo> Checkpoint(const std::string& name, const TrainerState& trainer,
                                            const CheckpointOptions& options);

  /// Brings tables, rows and step of a checkpoint into a cluster, which must be new. Gives the
  /// step.
  absl::StatusOr<std::uint64_t> Load(
      const CheckpointName& from,
      const std::function<absl::StatusOr<TableId>(const TableSpec& spec)>& create_table);

  /// The same of some tables, into a cluster that has none of those names; but for the step.
  absl::Status LoadTables(
      const CheckpointName& from, const std::vector<std::string>& tables,
      const std::function<absl::StatusOr<TableId>(const TableSpec& spec)>& create_table);

  BlobStore* store() { return store_.get(); }

 private:
  absl::Status Import(const RowImport& import);

  const Options options_;
  const ClusterMapHolder& map_;
  ControlClient& client_;
  const std::unique_ptr<BlobStore> store_;
  Mutex checkpoint_mutex_;  // One checkpoint at a time: two of one name would mix.
  std::optional<CheckpointBase> base_ ABSL_GUARDED_BY(checkpoint_mutex_);
};

}  // namespace longtail::server
