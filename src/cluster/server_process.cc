#include "cluster/server_process.h"

#include <unistd.h>

#include <fstream>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "cluster/coordinator_link.h"
#include "cluster/tcp_address.h"
#include "io/core_loop.h"
#include "io/open_store.h"
#include "io/this_process.h"
#include "protocol/format_limits.h"
#include "server/lane_core.h"

namespace longtail {
namespace {

constexpr std::string_view kIpc = "ipc://";
constexpr absl::Duration kPulsePeriod = absl::Seconds(1);

// ZeroMQ leaves them.
void RemoveSocketFiles(const LaneEntry& lane) {
  for (const std::string& address : lane.addresses) {
    if (address.starts_with(kIpc)) unlink(address.substr(kIpc.size()).c_str());
  }
}

struct Lane {
  std::unique_ptr<ZmqEndpoint> endpoint;
  std::unique_ptr<server::LaneCore> core;
  std::unique_ptr<CoreLoop> loop;
};

class Process final : public ServerProcess {
 public:
  Process(const Options& options, std::unique_ptr<ZmqNetwork> network)
      : options_(options), network_(std::move(network)) {}

  ~Process() override {
    link_.reset();
    for (const LaneEntry& lane : entry_.lanes) RemoveSocketFiles(lane);
    for (Lane& lane : lanes_) lane.loop.reset();
  }

  absl::Status Run() {
    if (options_.lanes < 1 || options_.lanes > kLaneCountMax) {
      return absl::InvalidArgumentError(
          absl::StrCat("lanes ", options_.lanes, ": want 1..", kLaneCountMax));
    }
    entry_.name = options_.name.empty() ? ProcessName() : options_.name;
    if (entry_.name.size() > kNameSizeMax) {
      return absl::InvalidArgumentError(absl::StrCat(
          "server name '", entry_.name, "': want at most ", kNameSizeMax, " characters"));
    }
    entry_.incarnation = DrawIncarnation();
    entry_.host = HostId();
    if (!options_.store.empty()) {
      LONGTAIL_ASSIGN_OR_RETURN(store_, OpenStore(options_.store));
    }
    LONGTAIL_RETURN_IF_ERROR(Listen());
    LONGTAIL_ASSIGN_OR_RETURN(const std::string address, CoordinatorAddress(options_.coordinator));
    LONGTAIL_ASSIGN_OR_RETURN(link_, CoordinatorLink::Open(*network_, address, options_.log));
    LONGTAIL_ASSIGN_OR_RETURN(const std::shared_ptr<const ClusterMap> map,
                              link_->AwaitMap(
                                  "joining the cluster", options_.join_timeout,
                                  [&](std::uint64_t request) {
                                    return JoinServer{request, entry_};
                                  },
                                  options_.stop));
    LONGTAIL_RETURN_IF_ERROR(Serve(*map));
    link_->StartPulse(kPulsePeriod, *map_, [this] { return Pulse(); });
    return absl::OkStatus();
  }

  const std::string& name() const override { return entry_.name; }

 private:
  absl::Status Listen() {
    LONGTAIL_ASSIGN_OR_RETURN(const TcpAddress at, ParseTcpAddress(options_.listen));
    const std::string host =
        options_.advertise.empty() ? ReachableHost(at.host) : options_.advertise;
    for (std::uint32_t i = 0; i < options_.lanes; ++i) {
      std::vector<std::string> listen = {
          absl::StrCat("tcp://", at.host, ":", at.port == 0 ? 0 : at.port + i)};
      if (!options_.ipc_directory.empty()) {
        listen.push_back(absl::StrCat(std::string(kIpc), options_.ipc_directory, "/", entry_.name,
                                      "-", i, ".sock"));
      }
      Lane lane{.endpoint = nullptr, .core = nullptr, .loop = nullptr};
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

  absl::Status Serve(const ClusterMap& map) {
    const ServerEntry* mine = nullptr;
    std::size_t first = 0;  // The number of this server's first lane among all.
    for (const ServerEntry& server : map.servers) {
      if (server.name == entry_.name) {
        mine = &server;
        break;
      }
      first += server.lanes.size();
    }
    if (mine == nullptr || mine->lanes.size() != lanes_.size()) {
      return absl::InternalError(absl::StrCat("the map does not have server '", entry_.name, "'"));
    }
    map_ = std::make_unique<ClusterMapHolder>(map);
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      std::vector<PartitionId> owned;
      for (std::uint32_t p = 0; p < map.lane_of.size(); ++p) {
        if (map.lane_of[p] == first + i) owned.push_back(PartitionId{p});
      }
      lanes_[i].core = std::make_unique<server::LaneCore>(server::LaneCore::Options{
          .self = mine->lanes[i].node,
          .epoch = map.epoch,
          .step_mode = map.step_mode,
          .staleness = map.staleness,
          .worker_count = map.worker_count,
          .partition_count = static_cast<std::uint32_t>(map.lane_of.size()),
          .partitions = std::move(owned)});
    }
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      lanes_[i].loop = std::make_unique<CoreLoop>(
          *lanes_[i].core, *lanes_[i].endpoint,
          CoreLoop::Options{.name = absl::StrCat("lane-", i), .store = store_.get()});
      options_.log.Info("lane_serves", {{"server", entry_.name},
                                        {"lane", static_cast<std::uint32_t>(mine->lanes[i].node)},
                                        {"address", entry_.lanes[i].addresses[0]}});
    }
    return absl::OkStatus();
  }

  std::vector<Message> Pulse() {
    Heartbeat heartbeat{.request = 0,
                        .session = {},
                        .server = entry_.name,
                        .incarnation = entry_.incarnation,
                        .map_version = map_->Current()->version,
                        .rows = 0,
                        .bytes = ResidentBytes()};
    for (Lane& lane : lanes_) {
      lane.loop->Do([&](absl::Time, Effects&) { heartbeat.rows += lane.core->row_count(); });
    }
    return {std::move(heartbeat)};
  }

  const Options options_;
  const std::unique_ptr<ZmqNetwork> network_;
  ServerEntry entry_;
  std::unique_ptr<BlobStore> store_;  // Null: none was named.
  std::vector<Lane> lanes_;
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
