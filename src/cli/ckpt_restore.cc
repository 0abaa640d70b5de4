#include <chrono>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "cli/ckpt.h"
#include "cli/inspect_answer.h"
#include "cli/number_text.h"
#include "cli/safe_text.h"
#include "cluster/cluster_status.h"
#include "io/open_store.h"
#include "longtail/cluster.h"
#include "server/checkpoint_reader.h"

namespace longtail::cli {
namespace {

// A load that ends half-way leaves the cluster good for nothing, so what can be told is told first.
absl::Status CheckNew(const ClusterStatus& status) {
  std::vector<std::string> tables;
  if (status.map != nullptr) {
    for (const TableSpec& spec : status.map->tables) tables.push_back(spec.name);
  }
  std::vector<std::string> workers;
  for (const Member& member : status.members) {
    if (member.kind == MemberKind::kWorker) workers.push_back(member.name);
  }
  if (tables.empty() && workers.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("cluster ", status.coordinator, ": has tables [", absl::StrJoin(tables, ", "),
                   "] and workers [", absl::StrJoin(workers, ", "), "]: want a new one"));
}

absl::StatusOr<CommandOutcome> TablesOutcome(const CkptRequest& request,
                                             const CkptRestoreOptions& options, Cluster& cluster) {
  std::uint64_t rows = 0;
  for (const std::string& name : options.tables) {
    LONGTAIL_ASSIGN_OR_RETURN(const TableId table, cluster.FindTable(name));
    LONGTAIL_ASSIGN_OR_RETURN(const TableStatistics statistics, cluster.Statistics(table));
    rows += statistics.rows;
  }
  if (request.form == OutputForm::kJson) {
    return CommandOutcome{
        .output = LineOf(
            {{"cluster", options.cluster}, {"tables", options.tables.size()}, {"rows", rows}})};
  }
  return CommandOutcome{.output = absl::StrCat("cluster ", SafeText(options.cluster), " has ",
                                               CountedText(options.tables.size(), "table"),
                                               " more, with ", CountedText(rows, "row"), " of ",
                                               SafeText(options.name), "\n")};
}

}  // namespace

absl::StatusOr<CommandOutcome> CkptRestore(const CkptRequest& request,
                                           const CkptRestoreOptions& options) {
  LONGTAIL_ASSIGN_OR_RETURN(const std::unique_ptr<BlobStore> store,
                            OpenExistingStore(request.store));
  LONGTAIL_ASSIGN_OR_RETURN(const Manifest manifest, server::ReadManifest(*store, options.name));
  RemoteOptions remote{.coordinator = options.cluster};
  remote.join_timeout = absl::ToChronoMilliseconds(options.timeout);
  LONGTAIL_ASSIGN_OR_RETURN(const std::unique_ptr<Cluster> cluster, Cluster::Remote(remote));
  if (!options.tables.empty()) {
    LONGTAIL_RETURN_IF_ERROR(
        cluster->LoadTables({.store = request.store, .name = options.name}, options.tables));
    return TablesOutcome(request, options, *cluster);
  }
  LONGTAIL_ASSIGN_OR_RETURN(const ClusterStatus status,
                            ReadClusterStatus(options.cluster, options.timeout));
  LONGTAIL_RETURN_IF_ERROR(CheckNew(status));
  LONGTAIL_RETURN_IF_ERROR(cluster->Load({.store = request.store, .name = options.name}));
  const CheckpointInfo info = server::InfoOf(manifest, {});
  if (request.form == OutputForm::kJson) {
    return CommandOutcome{.output = LineOf({{"cluster", status.coordinator},
                                            {"tables", info.tables.size()},
                                            {"rows", info.rows},
                                            {"step", info.step}})};
  }
  return CommandOutcome{.output = absl::StrCat("cluster ", SafeText(status.coordinator), " has ",
                                               CountedText(info.tables.size(), "table"), " and ",
                                               CountedText(info.rows, "row"), " of ",
                                               SafeText(options.name), ", and goes on from step ",
                                               GroupedText(info.step), "\n")};
}

}  // namespace longtail::cli
