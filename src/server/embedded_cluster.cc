#include "server/embedded_cluster.h"

#include <bit>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "io/open_store.h"
#include "worker/connected_worker.h"
#include "worker/worker_options.h"

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
  const bool is_bounded = options.step_mode == StepMode::kBoundedStaleness;
  if (options.staleness > (is_bounded ? kStalenessMax : 0)) {
    return absl::InvalidArgumentError(absl::StrCat("staleness ", options.staleness, ": want ",
                                                   is_bounded
                                                       ? absl::StrCat("0..", kStalenessMax)
                                                       : "0, or a step_mode of bounded staleness"));
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
    : options_(options), ranks_(std::make_shared<RankRegistry>(options.workers)) {
  ClusterMap map{.version = 1,
                 .step_mode = options.step_mode,
                 .staleness = options.staleness,
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
                                                     .staleness = options.staleness,
                                                     .worker_count = options.workers,
                                                     .partition_count = options.partitions,
                                                     .partitions = std::move(owned[i]),
                                                     .audits_evictions = lane.audit != nullptr});
    lane.loop = std::make_unique<CoreLoop>(
        *lane.core, *lane.transport,
        CoreLoop::Options{
            .name = absl::StrCat("lane-", i), .store = store.get(), .audit = lane.audit.get()});
    lanes_.push_back(std::move(lane));
  }
  map_ = std::make_unique<ClusterMapHolder>(std::move(map));
  client_ = std::make_unique<ControlClient>(network_.Join());
  control_ = std::make_unique<ClusterControl>(
      ClusterControl::Options{.control_timeout = absl::FromChrono(options.control_timeout),
                              .checkpoint_timeout = absl::FromChrono(options.checkpoint_timeout),
                              .store_address = options.store},
      *map_, *client_, std::move(store));
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
  const auto answers = client_->Ask<Acknowledgement>(
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

absl::StatusOr<std::unique_ptr<Worker>> EmbeddedCluster::Connect(const WorkerOptions& options) {
  LONGTAIL_RETURN_IF_ERROR(Validate(options, options_.step_mode));
  LONGTAIL_ASSIGN_OR_RETURN(const RankRegistry::Place place, ranks_->Take(options.rank));
  auto release = [ranks = ranks_, rank = place.rank] { ranks->Release(rank); };
  return ConnectedWorker::Connect(
      options, {.session = place.session, .rank = place.rank, .on_close = release}, network_.Join(),
      *map_);
}

absl::StatusOr<std::unique_ptr<Worker>> EmbeddedCluster::ConnectReader(
    const WorkerOptions& options) {
  LONGTAIL_RETURN_IF_ERROR(ValidateReader(options));
  ConnectedWorker::Identity identity;
  identity.is_reader = true;
  return ConnectedWorker::Connect(options, identity, network_.Join(), *map_);
}

absl::StatusOr<TableId> EmbeddedCluster::FindTable(std::string_view name) const {
  return control_->FindTable(name);
}

absl::StatusOr<TableStatistics> EmbeddedCluster::Statistics(TableId table) {
  return control_->Statistics(table);
}

absl::StatusOr<std::vector<TableReport>> EmbeddedCluster::AllStatistics() {
  return control_->AllStatistics();
}

std::uint64_t EmbeddedCluster::unaudited_evictions() const {
  std::uint64_t sum = 0;
  for (const Lane& lane : lanes_) sum += lane.audit == nullptr ? 0 : lane.audit->unaudited();
  return sum;
}

absl::StatusOr<CheckpointInfo> EmbeddedCluster::Checkpoint(const std::string& name,
                                                           const TrainerState& trainer,
                                                           const CheckpointOptions& options) {
  return control_->Checkpoint(name, trainer, options);
}

absl::Status EmbeddedCluster::Load(const CheckpointName& from) {
  LONGTAIL_ASSIGN_OR_RETURN(restored_step_, control_->Load(from, [this](const TableSpec& spec) {
    return CreateTable(spec);
  }));
  return absl::OkStatus();
}

absl::Status EmbeddedCluster::LoadTables(const CheckpointName& from,
                                         const std::vector<std::string>& tables) {
  return control_->LoadTables(from, tables,
                              [this](const TableSpec& spec) { return CreateTable(spec); });
}

absl::Status EmbeddedCluster::RollBack(const std::string& name) {
  return absl::FailedPreconditionError(
      absl::StrCat("rollback to '", name, "': an embedded cluster is started anew with it instead ",
                   "(Cluster::Restore)"));
}

absl::Status EmbeddedCluster::Barrier(const std::string& name, std::uint32_t participants,
                                      std::chrono::milliseconds) {
  if (participants == 1) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("barrier '", name, "' of ", participants,
                                                 " participants: an embedded cluster has one"));
}

}  // namespace server
}  // namespace longtail
