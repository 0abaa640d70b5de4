#include "cluster/server_process.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "cluster/coordinator_link.h"
#include "cluster/replica_seat.h"
#include "cluster/tcp_address.h"
#include "io/core_loop.h"
#include "io/lane_log_writer.h"
#include "io/open_store.h"
#include "io/store_lock.h"
#include "io/this_process.h"
#include "protocol/format_limits.h"
#include "server/lane_core.h"
#include "server/lane_place.h"
#include "server/lane_recovery.h"

namespace longtail {
namespace {

constexpr std::string_view kIpc = "ipc://";
// Many of these are within the lease of a server; and a handover of a lane takes some.
constexpr absl::Duration kPulsePeriod = absl::Milliseconds(200);

// ZeroMQ leaves them.
void RemoveSocketFiles(const LaneEntry& lane) {
  for (const std::string& address : lane.addresses) {
    if (address.starts_with(kIpc)) unlink(address.substr(kIpc.size()).c_str());
  }
}

// One that keeps a log. (Others are replicas: see ReplicaSeat.)
struct Lane {
  std::unique_ptr<ZmqEndpoint> endpoint;
  std::unique_ptr<server::LaneCore> core;
  std::unique_ptr<LaneLogWriter> log;
  std::shared_ptr<const ClusterMap> map;  // Under which it began.
  std::uint64_t log_bytes = 0;            // Of the log that was there.
  std::unique_ptr<CoreLoop> loop;
};

class Process final : public ServerProcess {
 public:
  Process(const Options& options, std::unique_ptr<ZmqNetwork> network)
      : options_(options), network_(std::move(network)) {}

  ~Process() override {
    if (link_ != nullptr) link_->StopPulse();
    for (const LaneEntry& lane : entry_.lanes) RemoveSocketFiles(lane);
    for (Lane& lane : lanes_) lane.loop.reset();
    seats_.clear();  // Whose threads may have news for the link.
    link_.reset();
  }

  absl::Status Run() {
    if (options_.replicas < 1 || options_.replicas > kReplicaCountMax) {
      return absl::InvalidArgumentError(
          absl::StrCat("replicas ", options_.replicas, ": want 1..", kReplicaCountMax));
    }
    if (options_.lanes < 1 || options_.lanes > kLaneCountMax / options_.replicas) {
      return absl::InvalidArgumentError(
          absl::StrCat("lanes ", options_.lanes, ": want 1..", kLaneCountMax / options_.replicas));
    }
    if (options_.replicas > 1 && !options_.log_store.empty()) {
      return absl::InvalidArgumentError(absl::StrCat("log '", options_.log_store, "' and ",
                                                     options_.replicas,
                                                     " replicas: want one of the two, for now"));
    }
    entry_.name = options_.name.empty() ? ProcessName() : options_.name;
    if (entry_.name.size() > kNameSizeMax) {
      return absl::InvalidArgumentError(absl::StrCat(
          "server name '", entry_.name, "': want at most ", kNameSizeMax, " characters"));
    }
    entry_.incarnation = DrawIncarnation();
    entry_.host = HostId();
    entry_.keeps_log = !options_.log_store.empty();
    if (!options_.store.empty()) {
      LONGTAIL_ASSIGN_OR_RETURN(store_, OpenStore(options_.store));
    }
    LONGTAIL_RETURN_IF_ERROR(Listen());
    if (!options_.log_store.empty()) LONGTAIL_RETURN_IF_ERROR(Recover());
    LONGTAIL_ASSIGN_OR_RETURN(const std::string address, CoordinatorAddress(options_.coordinator));
    LONGTAIL_ASSIGN_OR_RETURN(link_, CoordinatorLink::Open(*network_, address, options_.log));
    LONGTAIL_ASSIGN_OR_RETURN(const std::shared_ptr<const ClusterMap> map,
                              link_->AwaitMap(
                                  "joining the cluster", options_.join_timeout,
                                  [&](std::uint64_t request) {
                                    return JoinServer{request, entry_, cluster_};
                                  },
                                  options_.stop));
    LONGTAIL_RETURN_IF_ERROR(Serve(map));
    link_->StartPulse(kPulsePeriod, *map_, [this] { return Pulse(); });
    return absl::OkStatus();
  }

  const std::string& name() const override { return entry_.name; }

 private:
  absl::Status Listen() {
    LONGTAIL_ASSIGN_OR_RETURN(const TcpAddress at, ParseTcpAddress(options_.listen));
    const std::string host =
        options_.advertise.empty() ? ReachableHost(at.host) : options_.advertise;
    for (std::uint32_t i = 0; i < options_.lanes * options_.replicas; ++i) {
      std::vector<std::string> listen = {
          absl::StrCat("tcp://", at.host, ":", at.port == 0 ? 0 : at.port + i)};
      if (!options_.ipc_directory.empty()) {
        listen.push_back(absl::StrCat(std::string(kIpc), options_.ipc_directory, "/", entry_.name,
                                      "-", i, ".sock"));
      }
      Lane lane{};
      LONGTAIL_ASSIGN_OR_RETURN(lane.endpoint, network_->Join(NodeId{i + 1}, listen));
      LONGTAIL_ASSIGN_OR_RETURN(const TcpAddress bound,
                                ParseTcpAddress(lane.endpoint->addresses()[0]));
      LaneEntry entry{.node = {}, .addresses = {absl::StrCat("tcp://", host, ":", bound.port)}};
      if (listen.size() > 1) entry.addresses.push_back(listen[1]);
      entry_.lanes.push_back(std::move(entry));
      lanes_.push_back(std::move(lane));
    }
    return absl::OkStatus();
  }

  // All that this server acknowledged before, if it was there before.
  absl::Status Recover() {
    // A lease may run out under who stands still; flock holds until a process has ended.
    if (options_.log_store.find("://") != std::string::npos) {
      return absl::InvalidArgumentError(
          absl::StrCat("log '", options_.log_store, "': want a directory of this machine"));
    }
    LONGTAIL_ASSIGN_OR_RETURN(
        log_lock_, StoreLock::Acquire(options_.log_store, absl::StrCat("server-", entry_.name)));
    LONGTAIL_ASSIGN_OR_RETURN(log_store_, OpenStore(options_.log_store));
    std::size_t recovered_lanes = 0;
    for (std::uint32_t i = 0; i < lanes_.size(); ++i) {
      const absl::Time begin = absl::Now();
      LONGTAIL_ASSIGN_OR_RETURN(server::RecoveredLane recovered,
                                server::RecoverLane(*log_store_, entry_.name, i));
      if (recovered.map == nullptr) continue;
      ++recovered_lanes;
      const ServerEntry* const was = FindServer(*recovered.map, entry_.name);
      if (was == nullptr || was->lanes.size() != lanes_.size() ||
          (cluster_ != 0 && cluster_ != recovered.map->cluster)) {
        return absl::FailedPreconditionError(
            absl::StrCat("the log of server '", entry_.name, "' in ", log_store_->Describe(),
                         " is of ", was == nullptr ? 0 : was->lanes.size(),
                         " lanes: want as many, here are ", lanes_.size()));
      }
      cluster_ = recovered.map->cluster;
      lanes_[i].core = std::move(recovered.core);
      lanes_[i].map = recovered.map;
      lanes_[i].log_bytes = recovered.log_bytes;
      options_.log.Info("lane_recovered",
                        {{"server", entry_.name},
                         {"lane", i},
                         {"records", lanes_[i].core->log_end()},
                         {"of_base", recovered.base_end},
                         {"rows", lanes_[i].core->row_count()},
                         {"torn_bytes", recovered.torn_bytes},
                         {"seconds", absl::ToDoubleSeconds(absl::Now() - begin)}});
    }
    if (recovered_lanes != 0 && recovered_lanes != lanes_.size()) {
      return absl::FailedPreconditionError(
          absl::StrCat("the log of server '", entry_.name, "' in ", log_store_->Describe(), " has ",
                       recovered_lanes, " lanes: want ", lanes_.size()));
    }
    return absl::OkStatus();
  }

  static const ServerEntry* FindServer(const ClusterMap& map, const std::string& name) {
    const auto found = std::ranges::find(map.servers, name, &ServerEntry::name);
    return found == map.servers.end() ? nullptr : &*found;
  }

  absl::Status Serve(const std::shared_ptr<const ClusterMap>& map) {
    const ServerEntry* const mine = FindServer(*map, entry_.name);
    if (mine == nullptr || mine->lanes.size() != lanes_.size()) {
      return absl::InternalError(absl::StrCat("the map does not have server '", entry_.name, "'"));
    }
    if (map->replicas != options_.replicas) {
      return absl::FailedPreconditionError(absl::StrCat("replicas ", options_.replicas,
                                                        ": the cluster keeps ", map->replicas,
                                                        " of each lane: want as many"));
    }
    if (log_store_ == nullptr) return ServeReplicas(map);
    map_ = std::make_unique<ClusterMapHolder>(*map);
    for (std::uint32_t i = 0; i < lanes_.size(); ++i) {
      Lane& lane = lanes_[i];
      const bool is_new = lane.core == nullptr;
      if (is_new) {
        LONGTAIL_ASSIGN_OR_RETURN(server::LaneCore::Options options,
                                  server::PlaceOfLane(*map, entry_.name, i));
        options.keeps_log = true;
        lane.core = std::make_unique<server::LaneCore>(options);
      }
      lane.log = std::make_unique<LaneLogWriter>(LaneLogWriter::Options{
          .store = log_store_.get(),
          .prefix = server::LaneLogPrefix(entry_.name, i),
          .header = {.lane = i, .cluster = map->cluster, .first = lane.core->log_end()},
          .bytes_since_base = lane.log_bytes,
          .log = options_.log});
      if (is_new) {  // Before the loop: nothing may come before it.
        lane.map = map;
        Effects effects;
        lane.core->BeginLog(map, effects);
        lane.log->Append(effects.log);
      }
      lane.loop = std::make_unique<CoreLoop>(
          *lane.core, *lane.endpoint,
          CoreLoop::Options{
              .name = absl::StrCat("lane-", i), .store = store_.get(), .log = lane.log.get()});
      options_.log.Info("lane_serves", {{"server", entry_.name},
                                        {"lane", static_cast<std::uint32_t>(mine->lanes[i].node)},
                                        {"address", entry_.lanes[i].addresses[0]}});
    }
    return absl::OkStatus();
  }

  absl::Status ServeReplicas(const std::shared_ptr<const ClusterMap>& map) {
    for (std::uint32_t i = 0; i < lanes_.size(); ++i) {
      ReplicaSeat::Options seat;
      seat.replica.server = entry_.name;
      seat.replica.incarnation = entry_.incarnation;
      seat.replica.seat = i;
      seat.host = entry_.host;
      seat.address = entry_.lanes[i].addresses[0];
      seat.store = store_.get();
      seat.log = options_.log;
      seat.on_news = [this] { link_->Hurry(); };
      seats_.push_back(std::make_unique<ReplicaSeat>(seat, std::move(lanes_[i].endpoint)));
      seats_.back()->Follow(map);
    }
    map_ = std::make_unique<ClusterMapHolder>(
        *map, [this](const std::shared_ptr<const ClusterMap>& newer) {
          for (const auto& seat : seats_) seat->Follow(newer);
        });
    return absl::OkStatus();
  }

  std::vector<Message> Pulse() {
    Heartbeat heartbeat{.request = 0,
                        .session = {},
                        .server = entry_.name,
                        .incarnation = entry_.incarnation,
                        .map_version = map_->Current()->version,
                        .rows = 0,
                        .bytes = ResidentBytes(),
                        .caught_up = {}};
    if (!seats_.empty()) {
      for (const auto& seat : seats_) seat->AddTo(heartbeat);
      return {std::move(heartbeat)};
    }
    for (std::uint32_t i = 0; i < lanes_.size(); ++i) {
      Lane& lane = lanes_[i];
      lane.loop->Do([&](absl::Time, Effects&) {
        heartbeat.rows += lane.core->row_count();
        heartbeat.rows_pulled += lane.core->rows_pulled();
        heartbeat.rows_pushed += lane.core->rows_pushed();
      });
      if (lane.log->bytes_since_base() < options_.base_after_bytes) continue;
      lane.loop->Do([&](absl::Time now, Effects& effects) {
        const std::string prefix = server::LaneLogPrefix(entry_.name, i);
        if (lane.core->WriteBase(lane.map, i, prefix, now, effects)) lane.log->NoteBase();
      });
    }
    return {std::move(heartbeat)};
  }

  const Options options_;
  const std::unique_ptr<ZmqNetwork> network_;
  ServerEntry entry_;
  std::unique_ptr<BlobStore> store_;     // Null: none was named.
  std::unique_ptr<StoreLock> log_lock_;  // Null, with the next one: no log is kept.
  std::unique_ptr<BlobStore> log_store_;
  std::uint64_t cluster_ = 0;  // Whose log there was; 0: none.
  std::vector<Lane> lanes_;
  std::vector<std::unique_ptr<ReplicaSeat>> seats_;  // Without logs: instead of those.
  std::unique_ptr<ClusterMapHolder> map_;
  std::unique_ptr<CoordinatorLink> link_;
};

// ZeroMQ takes a port beyond 65535 for another one.
absl::StatusOr<std::string> Checked(const std::string& address) {
  if (!address.starts_with(kIpc)) LONGTAIL_RETURN_IF_ERROR(ParseTcpAddress(address).status());
  return address;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ServerProcess>> ServerProcess::Start(const Options& options) {
  LONGTAIL_ASSIGN_OR_RETURN(std::unique_ptr<ZmqNetwork> network,
                            ZmqNetwork::Create({.log = options.log}));
  auto process = std::make_unique<Process>(options, std::move(network));
  LONGTAIL_RETURN_IF_ERROR(process->Run());
  return process;
}

absl::StatusOr<std::string> CoordinatorAddress(const std::string& place) {
  if (place.find("://") != std::string::npos) return Checked(place);
  if (place.empty()) {
    return absl::InvalidArgumentError(
        "cluster '': want tcp://HOST:PORT of a coordinator, or a file that holds it");
  }
  std::ifstream file(place);
  std::string line;
  if (!file.is_open()) {
    return absl::NotFoundError(absl::StrCat(
        "cluster '", place, "': no such file; want tcp://HOST:PORT of a coordinator, or a file ",
        "that holds it"));
  }
  std::getline(file, line);
  if (line.find("://") == std::string::npos) {
    return absl::InvalidArgumentError(absl::StrCat("cluster file '", place, "': its first line '",
                                                   line.substr(0, 80), "' is no tcp://HOST:PORT"));
  }
  return Checked(line);
}

}  // namespace longtail
