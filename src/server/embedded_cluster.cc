#include "server/embedded_cluster.h"

#include <bit>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "io/open_store.h"
#include "server/checkpoint_reader.h"
#include "server/checkpoint_writer.h"
#include "worker/connected_worker.h"

namespace longtail {

absl::StatusOr<std::unique_ptr<Cluster>> Cluster::Embedded(const ClusterOptions& options) {
  LONGTAIL_ASSIGN_OR_RETURN(auto cluster, server::EmbeddedCluster::Start(options));
  return std::unique_ptr<Cluster>(std::move(cluster));
}

absl::StatusOr<std::unique_ptr<Cluster>> Cluster::Restore(const ClusterOptions& options,
                                                          const CheckpointName& from) {
  LONGTAIL_ASSIGN_OR_RETURN(auto cluster, server::EmbeddedCluster::Start(options));
  LONGTAIL_RETURN_IF_ERROR(cluster->Load(from));
  return std::unique_ptr<Cluster>(std::move(cluster));
}

namespace server {
namespace {

absl::Status ValidateOptions(const ClusterOptions& options) {
  if (options.lanes < 1 || options.lanes > kLaneCountMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("lanes ", options.lanes, ": want 1..", kLaneCountMax));
  }
  if (!std::has_single_bit(options.partitions) || options.partitions > kPartitionCountMax) {
    return absl::InvalidArgumentError(absl::StrCat(
        "partitions ", options.partitions, ": want a power of two, 1..", kPartitionCountMax));
  }
  if (options.partitions < options.lanes) {
    return absl::InvalidArgumentError(absl::StrCat("partitions ", options.partitions,
                                                   ": want at least ", options.lanes,
                                                   ", the number of lanes"));
  }
  if (options.workers < 1 || options.workers > kWorkerCountMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("workers ", options.workers, ": want 1..", kWorkerCountMax));
  }
  if (options.control_timeout.count() <= 0 || options.checkpoint_timeout.count() <= 0) {
    return absl::InvalidArgumentError("control_timeout and checkpoint_timeout: want more than 0");
  }
  return absl::OkStatus();
}

// One for each lane, or none at all.
absl::StatusOr<std::vector<std::unique_ptr<EvictionAudit>>> OpenAudits(
    const ClusterOptions& options) {
  std::vector<std::unique_ptr<EvictionAudit>> audits;
  if (options.eviction_audit.empty()) return audits;
  // As of a store: the directory is made, and an error names what is wrong with it.
  LONGTAIL_RETURN_IF_ERROR(OpenStore(absl::StrCat("file:", options.eviction_audit)).status());
  for (std::uint32_t i = 0; i < options.lanes; ++i) {
    const std::string path =
        absl::StrCat(options.eviction_audit, "/lane-", absl::Dec(i, absl::kZeroPad3), ".tsv");
    LONGTAIL_ASSIGN_OR_RETURN(audits.emplace_back(), EvictionAudit::Open(path));
  }
  return audits;
}

}  // namespace

absl::StatusOr<std::unique_ptr<EmbeddedCluster>> EmbeddedCluster::Start(
    const ClusterOptions& options) {
  LONGTAIL_RETURN_IF_ERROR(ValidateOptions(options));
  std::unique_ptr<BlobStore> store;
  if (!options.store.empty()) {
    LONGTAIL_ASSIGN_OR_RETURN(store, OpenStore(options.store));
  }
  LONGTAIL_ASSIGN_OR_RETURN(auto audits, OpenAudits(options));
  return std::unique_ptr<EmbeddedCluster>(
      new EmbeddedCluster(options, std::move(store), std::move(audits)));
}

EmbeddedCluster::EmbeddedCluster(const ClusterOptions& options, std::unique_ptr<BlobStore> store,
                                 std::vector<std::unique_ptr<EvictionAudit>> audits)
    : options_(options),
      store_(std::move(store)),
      ranks_(std::make_shared<RankRegistry>(options.workers)) {
  ClusterMap map{.version = 1,
                 .step_mode = options.step_mode,
                 .worker_count = options.workers,
                 .lanes = {},
                 .lane_of = {},
                 .tables = {}};
  std::vector<std::vector<PartitionId>> owned(options.lanes);
  for (std::uint32_t p = 0; p < options.partitions; ++p) {
    map.lane_of.push_back(p % options.lanes);
    owned[p % options.lanes].push_back(PartitionId{p});
  }
  for (std::uint32_t i = 0; i < options.lanes; ++i) {
    Lane lane{.transport = network_.Join(),
              .core = nullptr,
              .audit = audits.empty() ? nullptr : std::move(audits[i]),
              .loop = nullptr};
    map.lanes.push_back(lane.transport->node());
    lane.core =
        std::make_unique<LaneCore>(LaneCore::Options{.self = lane.transport->node(),
                                                     .epoch = map.epoch,
                                                     .step_mode = options.step_mode,
                                                     .worker_count = options.workers,
                                                     .partition_count = options.partitions,
                                                     .partitions = std::move(owned[i]),
                                                     .audits_evictions = lane.audit != nullptr});
    lane.loop = std::make_unique<CoreLoop>(
        *lane.core, *lane.transport,
        CoreLoop::Options{
            .name = absl::StrCat("lane-", i), .store = store_.get(), .audit = lane.audit.get()});
    lanes_.push_back(std::move(lane));
  }
  map_ = std::make_unique<ClusterMapHolder>(std::move(map));
  control_ = std::make_unique<ControlClient>(network_.Join());
}

EmbeddedCluster::~EmbeddedCluster() {
  for (Lane& lane : lanes_) lane.loop.reset();
}

absl::StatusOr<TableId> EmbeddedCluster::CreateTable(const TableSpec& spec) {
  LONGTAIL_RETURN_IF_ERROR(Validate(spec));
  const MutexLock lock(&tables_mutex_);
  ClusterMap map = *map_->Current();
  for (std::size_t i = 0; i < map.tables.size(); ++i) {
    if (map.tables[i].name != spec.name) continue;
    if (map.tables[i] == spec) return TableId{static_cast<std::uint32_t>(i)};
    return absl::AlreadyExistsError(
        absl::StrCat("table '", spec.name, "' exists with another spec: want an equal one"));
  }
  if (map.tables.size() >= kTableCountMax) {
    return absl::ResourceExhaustedError(
        absl::StrCat("table '", spec.name, "': want at most ", kTableCountMax, " tables"));
  }
  const TableId id{static_cast<std::uint32_t>(map.tables.size())};
  const auto answers = control_->Ask<Acknowledgement>(
      "table creation", map.lanes, absl::FromChrono(options_.control_timeout),
      [&](std::uint64_t request) {
        return longtail::CreateTable{request, id, spec};
      });
  if (!answers.ok()) return answers.status();
  map.tables.push_back(spec);
  ++map.version;
  map_->Replace(std::move(map));
  return id;
}

absl::StatusOr<TableId> EmbeddedCluster::FindTable(std::string_view name) const {
  const std::shared_ptr<const ClusterMap> map = map_->Current();
  std::vector<std::string> names;
  for (std::size_t i = 0; i < map->tables.size(); ++i) {
    if (map->tables[i].name == name) return TableId{static_cast<std::uint32_t>(i)};
    names.push_back(map->tables[i].name);
  }
  return absl::NotFoundError(absl::StrCat("table '", std::string(name), "': this cluster has [",
                                          absl::StrJoin(names, ", "), "]"));
}

absl::StatusOr<std::unique_ptr<Worker>> EmbeddedCluster::Connect(const WorkerOptions& options) {
  if (options.timeout.count() <= 0 || options.retry_after.count() <= 0) {
    return absl::InvalidArgumentError("timeout and retry_after of a worker: want more than 0");
  }
  LONGTAIL_ASSIGN_OR_RETURN(const RankRegistry::Place place, ranks_->Take());
  auto release = [ranks = ranks_, rank = place.rank] { ranks->Release(rank); };
  return ConnectedWorker::Connect(
      options, {.session = place.session, .rank = place.rank, .on_close = release}, network_.Join(),
      *map_);
}

absl::StatusOr<TableStatistics> EmbeddedCluster::Statistics(TableId table) {
  LONGTAIL_ASSIGN_OR_RETURN(
      const auto answers, control_->Ask<StatisticsReply>("statistics", map_->Current()->lanes,
                                                         absl::FromChrono(options_.control_timeout),
                                                         [&](std::uint64_t request) {
                                                           return StatisticsRequest{request, table};
                                                         }));
  TableStatistics sum;
  for (const StatisticsReply& answer : answers) sum += answer.statistics;
  return sum;
}

absl::StatusOr<std::vector<TableReport>> EmbeddedCluster::AllStatistics() {
  std::vector<TableReport> reports;
  for (const TableSpec& spec : map_->Current()->tables) {
    LONGTAIL_ASSIGN_OR_RETURN(TableStatistics statistics,
                              Statistics(TableId{static_cast<std::uint32_t>(reports.size())}));
    reports.push_back({spec, std::move(statistics)});
  }
  return reports;
}

std::uint64_t EmbeddedCluster::unaudited_evictions() const {
  std::uint64_t sum = 0;
  for (const Lane& lane : lanes_) sum += lane.audit == nullptr ? 0 : lane.audit->unaudited();
  return sum;
}

absl::StatusOr<CheckpointInfo> EmbeddedCluster::Checkpoint(const std::string& name,
                                                           const TrainerState& trainer) {
  if (store_ == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("checkpoint '", name, "': this cluster was started without a 'store'"));
  }
  const MutexLock lock(&checkpoint_mutex_);
  return WriteCheckpoint(
      {.store_address = options_.store,
       .name = name,
       .created_at = absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", absl::Now(), absl::UTCTimeZone()),
       .timeout = absl::FromChrono(options_.checkpoint_timeout)},
      *map_->Current(), trainer, *control_, *store_);
}

absl::Status EmbeddedCluster::Load(const CheckpointName& from) {
  LONGTAIL_ASSIGN_OR_RETURN(const std::unique_ptr<BlobStore> store, OpenExistingStore(from.store));
  LONGTAIL_ASSIGN_OR_RETURN(const Manifest manifest, ReadManifest(*store, from.name));
  for (const ManifestTable& table : manifest.tables) {
    LONGTAIL_RETURN_IF_ERROR(CreateTable(table.spec).status());
  }
  const std::shared_ptr<const ClusterMap> map = map_->Current();
  LONGTAIL_RETURN_IF_ERROR(ReadRows(
      *store, manifest, [&](RowBlock rows) { return ImportBlock(*map, std::move(rows)); }));
  const auto answers = control_->Ask<Acknowledgement>("setting the restored step", map->lanes,
                                                      absl::FromChrono(options_.control_timeout),
                                                      [&](std::uint64_t request) {
                                                        return ImportStep{request, manifest.step};
                                                      });
  restored_step_ = manifest.step;
  return answers.status();
}

absl::Status EmbeddedCluster::ImportBlock(const ClusterMap& map, RowBlock rows) {
  std::vector<std::shared_ptr<RowBlock>> by_lane;
  for (std::size_t i = 0; i < map.lanes.size(); ++i) {
    by_lane.push_back(std::make_shared<RowBlock>());
    by_lane.back()->table = rows.table;
    by_lane.back()->value_count = rows.value_count;
  }
  const auto partitions = static_cast<std::uint32_t>(map.lane_of.size());
  for (std::size_t i = 0; i < rows.keys.size(); ++i) {
    const auto partition = static_cast<std::size_t>(PartitionOf(rows.keys[i], partitions));
    RowBlock& to = *by_lane[map.lane_of[partition]];
    const auto values = rows.values.begin() + static_cast<std::ptrdiff_t>(i * rows.value_count);
    to.keys.push_back(rows.keys[i]);
    to.counts.push_back(rows.counts[i]);
    to.last_steps.push_back(rows.last_steps[i]);
    to.values.insert(to.values.end(), values, values + rows.value_count);
  }
  std::size_t next = 0;  // Ask makes the messages in the order of the lanes.
  return control_
      ->Ask<Acknowledgement>("import of rows", map.lanes,
                             absl::FromChrono(options_.checkpoint_timeout),
                             [&](std::uint64_t request) {
                               return ImportRows{request, by_lane[next++]};
                             })
      .status();
}

}  // namespace server
}  // namespace longtail
