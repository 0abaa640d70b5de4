#include "server/cluster_control.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "base/status_macros.h"
#include "io/open_store.h"
#include "protocol/utc_text.h"
#include "server/checkpoint_reader.h"
#include "server/row_import.h"

namespace longtail::server {

absl::StatusOr<TableId> ClusterControl::FindTable(std::string_view name) const {
  const std::shared_ptr<const ClusterMap> map = map_.Current();
  std::vector<std::string> names;
  for (std::size_t i = 0; i < map->tables.size(); ++i) {
    if (map->tables[i].name == name) return TableId{static_cast<std::uint32_t>(i)};
    names.push_back(map->tables[i].name);
  }
  return absl::NotFoundError(absl::StrCat("table '", std::string(name), "': this cluster has [",
                                          absl::StrJoin(names, ", "), "]"));
}

absl::StatusOr<TableStatistics> ClusterControl::Statistics(TableId table) {
  LONGTAIL_ASSIGN_OR_RETURN(
      const auto answers,
      client_.Ask<StatisticsReply>("statistics", map_.Current()->lanes, options_.control_timeout,
                                   [&](std::uint64_t request) {
                                     return StatisticsRequest{request, table};
                                   }));
  TableStatistics sum;
  for (const StatisticsReply& answer : answers) sum += answer.statistics;
  return sum;
}

absl::StatusOr<std::vector<TableReport>> ClusterControl::AllStatistics() {
  const std::shared_ptr<const ClusterMap> map = map_.Current();
  std::vector<TableReport> reports;
  for (const TableSpec& spec : map->tables) {
    LONGTAIL_ASSIGN_OR_RETURN(TableStatistics statistics,
                              Statistics(TableId{static_cast<std::uint32_t>(reports.size())}));
    reports.push_back({spec, std::move(statistics)});
  }
  return reports;
}

absl::StatusOr<CheckpointInfo> ClusterControl::Checkpoint(const std::string& name,
                                                          const TrainerState& trainer,
                                                          const CheckpointOptions& options) {
  if (store_ == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("checkpoint '", name, "': this cluster was started without a 'store'"));
  }
  const MutexLock lock(&checkpoint_mutex_);
  LONGTAIL_ASSIGN_OR_RETURN(CheckpointInfo info,
                            WriteCheckpoint({.store_address = options_.store_address,
                                             .name = name,
                                             .created_at = UtcText(absl::Now()),
                                             .timeout = options_.checkpoint_timeout,
                                             .options = options,
                                             .base = base_},
                                            *map_.Current(), trainer, client_, *store_));
  if (options.increments_max > 0) base_ = {.name = name, .created_at = info.created_at};
  return info;
}

absl::StatusOr<std::uint64_t> ClusterControl::Load(
    const CheckpointName& from,
    const std::function<absl::StatusOr<TableId>(const TableSpec& spec)>& create_table) {
  LONGTAIL_ASSIGN_OR_RETURN(const std::unique_ptr<BlobStore> store, OpenExistingStore(from.store));
  LONGTAIL_ASSIGN_OR_RETURN(const Manifest manifest, ReadManifest(*store, from.name));
  if (const std::vector<TableSpec>& tables = map_.Current()->tables; !tables.empty()) {
    return absl::AlreadyExistsError(absl::StrCat("checkpoint '", from.name, "': the cluster has ",
                                                 tables.size(), " tables, such as '",
                                                 tables[0].name, "': want a new one"));
  }
  for (const ManifestTable& table : manifest.tables) {
    LONGTAIL_RETURN_IF_ERROR(create_table(table.spec).status());
  }
  const std::shared_ptr<const ClusterMap> map = map_.Current();
  LONGTAIL_RETURN_IF_ERROR(
      Import({.store = *store, .manifest = manifest, .map = *map, .table_here = [](TableId table) {
                return table;
              }}));
  const auto answers =
      client_.Ask<Acknowledgement>("setting the restored step", map->lanes,
                                   options_.control_timeout, [&](std::uint64_t request) {
                                     return ImportStep{request, manifest.step};
                                   });
  if (!answers.ok()) return answers.status();
  return manifest.step;
}

absl::Status ClusterControl::LoadTables(
    const CheckpointName& from, const std::vector<std::string>& tables,
    const std::function<absl::StatusOr<TableId>(const TableSpec& spec)>& create_table) {
  if (tables.empty()) return absl::InvalidArgumentError("tables to load: want at least one");
  LONGTAIL_ASSIGN_OR_RETURN(const std::unique_ptr<BlobStore> store, OpenExistingStore(from.store));
  LONGTAIL_ASSIGN_OR_RETURN(const Manifest manifest, ReadManifest(*store, from.name));
  std::map<TableId, TableSpec> wanted;
  for (const std::string& name : tables) {
    const auto found = std::ranges::find(
        manifest.tables, name, [](const ManifestTable& table) { return table.spec.name; });
    if (found == manifest.tables.end()) {
      return absl::NotFoundError(
          absl::StrCat("table '", name, "': checkpoint '", from.name, "' has [",
                       absl::StrJoin(manifest.tables, ", ",
                                     [](std::string* out, const ManifestTable& table) {
                                       absl::StrAppend(out, table.spec.name);
                                     }),
                       "]"));
    }
    if (FindTable(name).ok()) {
      return absl::AlreadyExistsError(
          absl::StrCat("table '", name, "' is here already: want one that is not"));
    }
    wanted[found->id] = found->spec;
  }
  std::map<TableId, TableId> here;
  for (const auto& [id, spec] : wanted) {
    LONGTAIL_ASSIGN_OR_RETURN(here[id], create_table(spec));
  }
  const std::shared_ptr<const ClusterMap> map = map_.Current();
  return Import({.store = *store,
                 .manifest = manifest,
                 .map = *map,
                 .table_here = [&here](TableId table) -> std::optional<TableId> {
                   const auto found = here.find(table);
                   if (found == here.end()) return std::nullopt;
                   return found->second;
                 }});
}

absl::Status ClusterControl::Import(const RowImport& import) {
  return ImportCheckpoint(import, [&](std::span<const NodeId> lanes,
                                      std::span<const std::shared_ptr<const RowBlock>> rows) {
    // Requests are numbered in the order of the lanes; one that is sent again has its number.
    std::optional<std::uint64_t> first;
    return client_
        .Ask<Acknowledgement>("import of rows", lanes, options_.checkpoint_timeout,
                              [&](std::uint64_t request) {
                                if (!first) first = request;
                                return ImportRows{request, rows[request - *first]};
                              })
        .status();
  });
}

}  // namespace longtail::server
