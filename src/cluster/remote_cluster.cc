#include "cluster/remote_cluster.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/status_macros.h"
#include "cluster/coordinator_place.h"
#include "cluster/lane_routes.h"
#include "io/open_store.h"
#include "io/this_process.h"
#include "protocol/manifest.h"
#include "protocol/utc_text.h"
#include "server/checkpoint_reader.h"
#include "server/lane_rows.h"
#include "worker/connected_worker.h"
#include "worker/worker_options.h"

namespace longtail {
namespace {

// Well within the lease, so that one lost heartbeat costs nobody his place; and soon enough to
// learn of a lane's new leader.
constexpr absl::Duration kPulsePeriod = absl::Milliseconds(200);
constexpr absl::Duration kLeaveTimeout = absl::Seconds(5);
// 1 MiB of rows: fits the caches of all who handle it, and is large beside what a message costs.
constexpr std::size_t kRequestFloatsMax = std::size_t{1} << 18;

}  // namespace

class RemoteCluster::Watch {
 public:
  explicit Watch(Sessions& sessions) : sessions_(sessions) {
    const MutexLock lock(&sessions_.mutex);
    ++sessions_.watchers;
  }
  ~Watch() {
    const MutexLock lock(&sessions_.mutex);
    --sessions_.watchers;
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

 private:
  Sessions& sessions_;
};

absl::StatusOr<std::unique_ptr<Cluster>> Cluster::Remote(const RemoteOptions& options) {
  LONGTAIL_ASSIGN_OR_RETURN(std::unique_ptr<RemoteCluster> cluster, RemoteCluster::Start(options));
  return std::unique_ptr<Cluster>(std::move(cluster));
}

absl::StatusOr<std::unique_ptr<RemoteCluster>> RemoteCluster::Start(const RemoteOptions& options) {
  if (options.join_timeout.count() <= 0 || options.control_timeout.count() <= 0 ||
      options.checkpoint_timeout.count() <= 0) {
    return absl::InvalidArgumentError(
        "join_timeout, control_timeout and checkpoint_timeout: want more than 0");
  }
  LONGTAIL_ASSIGN_OR_RETURN(const CoordinatorPlace at, FindCoordinator(options.coordinator));
  LONGTAIL_ASSIGN_OR_RETURN(const std::shared_ptr<Keyring> keys, at.OpenKeys());
  LONGTAIL_ASSIGN_OR_RETURN(std::unique_ptr<ZmqNetwork> network,
                            ZmqNetwork::Create({.keys = keys}));
  std::unique_ptr<RemoteCluster> cluster(new RemoteCluster(std::move(network)));
  LONGTAIL_RETURN_IF_ERROR(cluster->Join(options));
  return cluster;
}

absl::Status RemoteCluster::Join(const RemoteOptions& options) {
  LONGTAIL_ASSIGN_OR_RETURN(const CoordinatorPlace at, FindCoordinator(options.coordinator));
  LONGTAIL_ASSIGN_OR_RETURN(link_, CoordinatorLink::Open(*network_, at.address, Log{}));
  LONGTAIL_ASSIGN_OR_RETURN(
      const std::shared_ptr<const ClusterMap> map,
      link_->AwaitMap("joining the cluster", absl::FromChrono(options.join_timeout),
                      [](std::uint64_t request) { return MapRequest{request}; }));
  connections_ = std::make_unique<LaneConnections>(*network_, HostId());
  options_ = {.lanes = static_cast<std::uint32_t>(map->lanes.size()),
              .partitions = static_cast<std::uint32_t>(map->lane_of.size()),
              .step_mode = map->step_mode,
              .staleness = map->staleness,
              .workers = map->worker_count,
              .store = options.store,
              .control_timeout = options.control_timeout,
              .checkpoint_timeout = options.checkpoint_timeout};
  std::unique_ptr<BlobStore> store;
  if (!options.store.empty()) {
    LONGTAIL_ASSIGN_OR_RETURN(store, OpenStore(options.store));
  }
  map_ = std::make_unique<ClusterMapHolder>(*map,
                                            [this](const std::shared_ptr<const ClusterMap>& newer) {
                                              // An address that cannot be one is said by whoever
                                              // waits for its lane.
                                              connections_->Follow(newer).IgnoreError();
                                            });
  LONGTAIL_ASSIGN_OR_RETURN(std::unique_ptr<Transport> endpoint, connections_->Join(*map));
  client_ = std::make_unique<ControlClient>(
      std::move(endpoint), [this](NodeId lane) { return DescribeLane(*map_->Current(), lane); });
  client_->FollowLeaders(map_->Current());
  control_ = std::make_unique<server::ClusterControl>(
      server::ClusterControl::Options{
          .control_timeout = absl::FromChrono(options.control_timeout),
          .checkpoint_timeout = absl::FromChrono(options.checkpoint_timeout),
          .store_address = options.store},
      *map_, *client_, std::move(store));
  link_->StartPulse(kPulsePeriod, *map_, [this] {
    std::vector<Message> beats;
    const std::uint64_t version = map_->Current()->version;
    const MutexLock lock(&sessions_->mutex);
    // A session that is over brings no maps any more, and what was asked is to fail soon.
    const bool brings_none = sessions_->open.empty() || link_->beats_without_place() != 0;
    if (brings_none && (sessions_->watchers != 0 || !sessions_->open.empty()))
      beats.emplace_back(MapRequest{0});
    for (const SessionId session : sessions_->open) {
      beats.emplace_back(Heartbeat{.request = 0,
                                   .session = session,
                                   .server = {},
                                   .incarnation = 0,
                                   .map_version = version,
                                   .rows = 0,
                                   .bytes = 0,
                                   .caught_up = {}});
    }
    return beats;
  });
  return absl::OkStatus();
}

RemoteCluster::~RemoteCluster() {
  link_.reset();
}

absl::Status RemoteCluster::Refresh() const {
  LONGTAIL_ASSIGN_OR_RETURN(
      const MapReply reply,
      link_->Ask<MapReply>("cluster map", absl::FromChrono(options_.control_timeout),
                           [](std::uint64_t request) { return MapRequest{request}; }));
  if (reply.map != nullptr) map_->Replace(*reply.map);
  return absl::OkStatus();
}

absl::StatusOr<TableId> RemoteCluster::CreateTable(const TableSpec& spec) {
  LONGTAIL_RETURN_IF_ERROR(Validate(spec));
  LONGTAIL_ASSIGN_OR_RETURN(
      const TableReply reply,
      link_->Ask<TableReply>("table creation", absl::FromChrono(options_.control_timeout),
                             [&](std::uint64_t request) {
                               return DefineTable{request, spec};
                             }));
  LONGTAIL_RETURN_IF_ERROR(Refresh());
  return reply.table;
}

absl::StatusOr<TableId> RemoteCluster::FindTable(std::string_view name) const {
  const absl::StatusOr<TableId> known = control_->FindTable(name);
  if (!absl::IsNotFound(known.status())) return known;
  // Another program may have made it since this one heard of the cluster last.
  LONGTAIL_RETURN_IF_ERROR(Refresh());
  return control_->FindTable(name);
}

absl::StatusOr<std::unique_ptr<Worker>> RemoteCluster::Connect(const WorkerOptions& options) {
  LONGTAIL_RETURN_IF_ERROR(Validate(options, map_->Current()->step_mode));
  const std::uint64_t incarnation = DrawIncarnation();
  const std::uint32_t rank = options.rank.value_or(kAnyRank);
  LONGTAIL_ASSIGN_OR_RETURN(
      const WorkerPlace place,
      link_->Ask<WorkerPlace>("a place for a worker", absl::FromChrono(options.timeout),
                              [&](std::uint64_t request) {
                                return JoinWorker{request, ProcessName(), incarnation, rank};
                              }));
  {
    const MutexLock lock(&sessions_->mutex);
    sessions_->open.push_back(place.session);
  }
  auto worker = ConnectAt(place, options);
  if (!worker.ok()) Leave(place.session);
  return worker;
}

absl::StatusOr<std::unique_ptr<Worker>> RemoteCluster::ConnectAt(const WorkerPlace& place,
                                                                 const WorkerOptions& options) {
  LONGTAIL_RETURN_IF_ERROR(Refresh());  // Tables that others made since.
  LONGTAIL_ASSIGN_OR_RETURN(std::unique_ptr<Transport> endpoint,
                            connections_->Join(*map_->Current()));
  // One that became known meanwhile.
  LONGTAIL_RETURN_IF_ERROR(connections_->Follow(map_->Current()));
  return ConnectedWorker::Connect(
      options,
      {.session = place.session,
       .rank = place.rank,
       .on_close = [this, session = place.session] { Leave(session); },
       .describe = [this](NodeId lane) { return DescribeLane(*map_->Current(), lane); },
       .request_floats_max = kRequestFloatsMax,
       .is_remote = true},
      std::move(endpoint), *map_);
}

absl::StatusOr<std::unique_ptr<Worker>> RemoteCluster::ConnectReader(const WorkerOptions& options) {
  LONGTAIL_RETURN_IF_ERROR(ValidateReader(options));
  LONGTAIL_RETURN_IF_ERROR(Refresh());
  const auto reader = static_cast<std::uint32_t>(DrawIncarnation());
  {
    const MutexLock lock(&sessions_->mutex);
    ++sessions_->watchers;
  }
  LONGTAIL_ASSIGN_OR_RETURN(std::unique_ptr<Transport> endpoint,
                            connections_->Join(*map_->Current(), reader));
  LONGTAIL_RETURN_IF_ERROR(connections_->Follow(map_->Current()));
  ConnectedWorker::Identity identity;
  identity.describe = [this, reader](NodeId lane) {
    return DescribeLane(*map_->Current(), lane, reader);
  };
  identity.request_floats_max = kRequestFloatsMax;
  identity.is_remote = true;
  identity.is_reader = true;
  return ConnectedWorker::Connect(options, identity, std::move(endpoint), *map_);
}

void RemoteCluster::Leave(SessionId session) {
  {
    const MutexLock lock(&sessions_->mutex);
    if (std::erase(sessions_->open, session) == 0) return;
  }
  // If the coordinator is away, the lease does it.
  link_
      ->Ask<Acknowledgement>("leaving the cluster", kLeaveTimeout,
                             [&](std::uint64_t request) {
                               return LeaveWorker{request, session};
                             })
      .IgnoreError();
}

absl::Status RemoteCluster::Barrier(const std::string& name, std::uint32_t participants,
                                    std::chrono::milliseconds timeout) {
  const std::string what = absl::StrCat("barrier '", name, "' of ", participants, " processes");
  return link_
      ->Ask<Acknowledgement>(what.c_str(), absl::FromChrono(timeout),
                             [&](std::uint64_t request) {
                               return EnterBarrier{request, name, incarnation_, participants};
                             })
      .status();
}

absl::StatusOr<TableStatistics> RemoteCluster::Statistics(TableId table) {
  const Watch watch(*sessions_);
  return control_->Statistics(table);
}

absl::StatusOr<std::vector<TableReport>> RemoteCluster::AllStatistics() {
  const Watch watch(*sessions_);
  LONGTAIL_RETURN_IF_ERROR(Refresh());
  return control_->AllStatistics();
}

absl::StatusOr<CheckpointInfo> RemoteCluster::Checkpoint(const std::string& name,
                                                         const TrainerState& trainer,
                                                         const CheckpointOptions& options) {
  const Watch watch(*sessions_);
  return control_->Checkpoint(name, trainer, options);
}

absl::Status RemoteCluster::Load(const CheckpointName& from) {
  const Watch watch(*sessions_);
  LONGTAIL_RETURN_IF_ERROR(Refresh());
  LONGTAIL_ASSIGN_OR_RETURN(restored_step_, control_->Load(from, [this](const TableSpec& spec) {
    return CreateTable(spec);
  }));
  return absl::OkStatus();
}

absl::Status RemoteCluster::LoadTables(const CheckpointName& from,
                                       const std::vector<std::string>& tables) {
  const Watch watch(*sessions_);
  LONGTAIL_RETURN_IF_ERROR(Refresh());
  return control_->LoadTables(from, tables,
                              [this](const TableSpec& spec) { return CreateTable(spec); });
}

absl::Status RemoteCluster::RollBack(const std::string& name) {
  if (control_->store() == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("rollback to '", name, "': this cluster was joined without a store"));
  }
  const Watch watch(*sessions_);
  LONGTAIL_ASSIGN_OR_RETURN(const Manifest manifest,
                            server::ReadManifest(*control_->store(), name));
  LONGTAIL_RETURN_IF_ERROR(Refresh());
  LONGTAIL_RETURN_IF_ERROR(server::CheckTables(manifest, map_->Current()->tables));
  const std::uint64_t id = DrawIncarnation();
  LONGTAIL_RETURN_IF_ERROR(
      link_
          ->Ask<Acknowledgement>("rolling back", absl::FromChrono(options_.control_timeout),
                                 [&](std::uint64_t request) {
                                   return longtail::RollBack{request, name, manifest.step, id};
                                 })
          .status());
  LONGTAIL_RETURN_IF_ERROR(Refresh());
  // Whoever answers for this epoch has its rows.
  const std::shared_ptr<const ClusterMap> map = map_->Current();
  const auto what = absl::StrCat("rolling back to '", name, "'");
  return client_
      ->Ask<PullReply>(
          what.c_str(), map->lanes, absl::FromChrono(options_.checkpoint_timeout),
          [&](std::uint64_t request) {
            auto pull = std::make_shared<PullRequest>();
            pull->request = request;
            pull->epoch = map->epoch;
            return std::shared_ptr<const PullRequest>(std::move(pull));
          },
          absl::Seconds(1))
      .status();
}

std::optional<RollbackInfo> RemoteCluster::last_rollback() const {
  const std::shared_ptr<const ClusterMap> map = map_->Current();
  const RolledBack& last = map->rolled_back;
  if (last.checkpoint.empty()) return std::nullopt;
  return RollbackInfo{.number = map->epoch - kFirstEpoch,
                      .name = last.checkpoint,
                      .step = last.step,
                      .at = UtcText(absl::FromUnixMicros(static_cast<std::int64_t>(last.at_us)))};
}

}  // namespace longtail
