#include "cluster/server_process.h"

#include <unistd.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/limits.h"
#include "base/mutex.h"
#include "base/status_macros.h"
#include "cluster/coordinator_link.h"
#include "cluster/coordinator_place.h"
#include "cluster/process_pages.h"
#include "cluster/replica_seat.h"
#include "cluster/server_figures.h"
#include "cluster/tcp_address.h"
#include "io/lane_log_writer.h"
#include "io/log_keeper.h"
#include "io/open_held_store.h"
#include "io/open_store.h"
#include "io/this_process.h"
#include "protocol/format_limits.h"
#include "protocol/lane_log_names.h"
#include "server/server_log.h"

namespace longtail {
namespace {

constexpr std::string_view kIpc = "ipc://";
// Many of these are within the lease of a server; and a handover of a lane takes some.
constexpr absl::Duration kPulsePeriod = absl::Milliseconds(200);
// What there is of each table is told that often, so many of the keys used most with it.
constexpr absl::Duration kTablesPeriod = absl::Seconds(5);
constexpr std::size_t kHotKeysTold = 16;
// A server that has no place any more joins again behind so many pulses.
constexpr std::uint32_t kBeatsWithoutPlace = 10;

// ZeroMQ leaves them.
void RemoveSocketFiles(const LaneEntry& lane) {
  for (const std::string& address : lane.addresses) {
    if (address.starts_with(kIpc)) unlink(address.substr(kIpc.size()).c_str());
  }
}

class Process final : public ServerProcess {
 public:
  Process(const Options& options, std::unique_ptr<ZmqNetwork> network,
          std::shared_ptr<TableNames> names)
      : options_(options), network_(std::move(network)), names_(std::move(names)) {}

  ~Process() override {
    admin_.reset();  // It shows all the others.
    if (link_ != nullptr) link_->StopPulse();
    for (const LaneEntry& lane : entry_.lanes) RemoveSocketFiles(lane);
    seats_.clear();  // Whose threads may have news for the link.
    link_.reset();
  }

  absl::Status Run() {
    if (options_.replicas < 1 || options_.replicas > kReplicaCountMax) {
      return absl::InvalidArgumentError(
          absl::StrCat("replicas ", options_.replicas, ": want 1..", kReplicaCountMax));
    }
    if (options_.is_reader && !options_.log_store.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("log '", options_.log_store, "': a server that only reads keeps none"));
    }
    if (options_.keep_log > absl::ZeroDuration() && options_.log_store.empty()) {
      return absl::InvalidArgumentError(absl::StrCat("keep log ",
                                                     absl::FormatDuration(options_.keep_log),
                                                     ": there is no log: want a place for one"));
    }
    if (options_.lanes < 1 || options_.lanes > kLaneCountMax / options_.replicas) {
      return absl::InvalidArgumentError(
          absl::StrCat("lanes ", options_.lanes, ": want 1..", kLaneCountMax / options_.replicas));
    }
    entry_.name = options_.name.empty() ? ProcessName() : options_.name;
    if (entry_.name.size() > kNameSizeMax) {
      return absl::InvalidArgumentError(absl::StrCat(
          "server name '", entry_.name, "': want at most ", kNameSizeMax, " characters"));
    }
    entry_.incarnation = DrawIncarnation();
    entry_.host = HostId();
    if (!options_.admin.empty()) LONGTAIL_RETURN_IF_ERROR(Show());
    if (!options_.store.empty()) {
      LONGTAIL_ASSIGN_OR_RETURN(store_, OpenStore(options_.store));
    }
    LONGTAIL_ASSIGN_OR_RETURN(const CoordinatorPlace coordinator,
                              FindCoordinator(options_.coordinator));
    const std::string& address = coordinator.address;
    LONGTAIL_ASSIGN_OR_RETURN(link_, CoordinatorLink::Open(*network_, address, options_.log));
    std::vector<NodeId> reads;
    if (options_.is_reader) {
      LONGTAIL_ASSIGN_OR_RETURN(
          const std::shared_ptr<const ClusterMap> formed,
          link_->AwaitMap(
              "reading the cluster", options_.join_timeout,
              [](std::uint64_t request) { return MapRequest{request}; }, options_.stop));
      reads = formed->lanes;
    }
    LONGTAIL_RETURN_IF_ERROR(
        Listen(options_.is_reader ? reads.size() : options_.lanes * options_.replicas));
    for (std::size_t i = 0; i < reads.size(); ++i) {
      entry_.lanes[i].node = reads[i];
      entry_.lanes[i].role = ReplicaRole::kReader;
    }
    if (!options_.log_store.empty()) {
      Say("reads its logs");
      LONGTAIL_RETURN_IF_ERROR(Recover());
    }
    Say(absl::StrCat("joins the cluster of ", address));
    LONGTAIL_ASSIGN_OR_RETURN(const std::shared_ptr<const ClusterMap> map,
                              link_->AwaitMap(
                                  "joining the cluster", options_.join_timeout,
                                  [&](std::uint64_t request) {
                                    return JoinServer{request, entry_, cluster_};
                                  },
                                  options_.stop));
    LONGTAIL_RETURN_IF_ERROR(Serve(map));
    Say("");
    link_->StartPulse(kPulsePeriod, *map_, [this] { return Pulse(); });
    return absl::OkStatus();
  }

  const std::string& name() const override { return entry_.name; }
  std::string admin_address() const override {
    return admin_ == nullptr ? std::string() : admin_->address();
  }

  void StopPulse() override { link_->StopPulse(); }

 private:
  // What it does before it serves; empty: it serves, and its seats are there to stay.
  void Say(std::string begins_with) {
    const MutexLock lock(&mutex_);
    begins_with_ = std::move(begins_with);
  }

  std::string BeginsWith() const {
    const MutexLock lock(&mutex_);
    return begins_with_;
  }

  absl::Status Show() {
    LONGTAIL_ASSIGN_OR_RETURN(
        admin_,
        ShowPages(options_.admin, {.standing_still = [this] { return StandingStill(); },
                                   .why_not_ready = [this] { return WhyNotReady(); },
                                   .figures = [this](MetricPage& page) { AddFigures(page); },
                                   .status = [this] { return Status(); }}));
    options_.log.Info("pages", {{"server", entry_.name}, {"address", admin_->address()}});
    return absl::OkStatus();
  }

  // The pages, by their threads.

  std::vector<PlaceReport> Places() const {
    std::vector<PlaceReport> places;
    if (!BeginsWith().empty()) return places;
    for (const auto& seat : seats_) places.push_back(seat->Report());
    return places;
  }

  std::vector<std::string> StandingStill() const {
    std::vector<std::string> loops;
    if (!BeginsWith().empty()) return loops;
    for (const auto& seat : seats_) {
      std::string loop = StandsStill(seat->name(), seat->meter(), absl::Now());
      if (!loop.empty()) loops.push_back(std::move(loop));
    }
    return loops;
  }

  std::vector<std::string> WhyNotReady() const {
    const std::string begins_with = BeginsWith();
    if (!begins_with.empty()) return {begins_with};
    std::vector<std::string> reasons;
    if (held_.store != nullptr && !held_.check().ok()) {
      reasons.push_back(std::string(held_.check().message()));
    }
    if (link_->beats_without_place() >= kBeatsWithoutPlace) {
      reasons.push_back("the coordinator has no place for it");
    }
    for (const auto& seat : seats_) {
      const absl::Duration behind = seat->behind();
      if (behind > options_.behind_max || behind == absl::InfiniteDuration()) {
        reasons.push_back(
            absl::StrCat(seat->name(), " is behind its leader by ", absl::FormatDuration(behind)));
      }
    }
    return reasons;
  }

  void AddFigures(MetricPage& page) const {
    const std::vector<PlaceReport> places = Places();
    if (places.empty()) return;
    AddServerFigures(places, *map_->Current(), page);
    AddKeyFigures(*network_, page);
    if (options_.log_store.empty()) return;
    page.Gauge("longtail_log_base_after_bytes",
               "Size of a lane's log behind which all its rows are written out.",
               options_.base_after_bytes);
  }

  std::string Status() const {
    const std::string begins_with = BeginsWith();
    const std::vector<PlaceReport> places = Places();
    const std::shared_ptr<const ClusterMap> map = places.empty() ? nullptr : map_->Current();
    return ServerJson(entry_.name, begins_with.empty() ? "serves" : begins_with, places, map.get());
  }

  absl::Status Listen(std::size_t lanes) {
    LONGTAIL_ASSIGN_OR_RETURN(const TcpAddress at, ParseTcpAddress(options_.listen));
    const std::string host =
        options_.advertise.empty() ? ReachableHost(at.host) : options_.advertise;
    for (std::uint32_t i = 0; i < lanes; ++i) {
      std::vector<std::string> listen = {
          absl::StrCat("tcp://", at.host, ":", at.port == 0 ? 0 : at.port + i)};
      if (!options_.ipc_directory.empty()) {
        listen.push_back(absl::StrCat(std::string(kIpc), options_.ipc_directory, "/", entry_.name,
                                      "-", i, ".sock"));
      }
      LONGTAIL_ASSIGN_OR_RETURN(std::unique_ptr<ZmqEndpoint> endpoint,
                                network_->Join(NodeId{i + 1}, listen));
      LONGTAIL_ASSIGN_OR_RETURN(const TcpAddress bound, ParseTcpAddress(endpoint->addresses()[0]));
      LaneEntry entry{.node = {}, .addresses = {absl::StrCat("tcp://", host, ":", bound.port)}};
      if (listen.size() > 1) entry.addresses.push_back(listen[1]);
      entry_.lanes.push_back(std::move(entry));
      endpoints_.push_back(std::move(endpoint));
    }
    return absl::OkStatus();
  }

  // All that this server acknowledged before, if it was there before.
  absl::Status Recover() {
    const auto on_lost = [log = options_.log, name = entry_.name,
                          told = options_.on_log_lost](const absl::Status& why) {
      log.Error("log_lost", {{"server", name}, {"reason", std::string(why.message())}});
      if (told) told(why);
    };
    LONGTAIL_ASSIGN_OR_RETURN(held_, OpenHeldStore(options_.log_store, entry_.name, on_lost));
    const absl::Time begin = absl::Now();
    LONGTAIL_ASSIGN_OR_RETURN(log_,
                              server::OpenServerLog(*held_.store, entry_.name, DrawIncarnation(),
                                                    server::ReplicaCore::Options().tail_bytes_kept,
                                                    {.keep = options_.keep_log, .now = begin}));
    entry_.log = log_.id;
    for (const server::LoggedLane& lane : log_.lanes) {
      const server::RecoveredLane& recovered = lane.recovered;
      cluster_ = recovered.map->cluster;
      options_.log.Info("lane_recovered",
                        {{"server", entry_.name},
                         {"lane", static_cast<std::uint32_t>(lane.lane)},
                         {"records", recovered.core->log_end()},
                         {"of_base", recovered.base_end},
                         {"rows", recovered.core->row_count()},
                         {"torn_bytes", recovered.torn_bytes},
                         {"seconds", absl::ToDoubleSeconds(absl::Now() - begin)}});
    }
    return absl::OkStatus();
  }

  static const ServerEntry* FindServer(const ClusterMap& map, const std::string& name) {
    const auto found = std::ranges::find(map.servers, name, &ServerEntry::name);
    return found == map.servers.end() ? nullptr : &*found;
  }

  absl::Status Serve(const std::shared_ptr<const ClusterMap>& map) {
    const ServerEntry* const mine = FindServer(*map, entry_.name);
    if (mine == nullptr || mine->lanes.size() != endpoints_.size()) {
      return absl::InternalError(absl::StrCat("the map does not have server '", entry_.name, "'"));
    }
    if (map->replicas != options_.replicas && !options_.is_reader) {
      return absl::FailedPreconditionError(absl::StrCat("replicas ", options_.replicas,
                                                        ": the cluster keeps ", map->replicas,
                                                        " of each lane: want as many"));
    }
    const auto gate =
        options_.is_reader ? std::make_shared<server::EpochGate>(endpoints_.size()) : nullptr;
    for (std::uint32_t i = 0; i < endpoints_.size(); ++i) {
      ReplicaSeat::Options seat;
      seat.replica.gate = gate;
      seat.replica.server = entry_.name;
      seat.replica.incarnation = entry_.incarnation;
      seat.replica.seat = i;
      seat.replica.behind_max = options_.behind_max;
      seat.host = entry_.host;
      seat.address = entry_.lanes[i].addresses[0];
      seat.store = store_.get();
      seat.log = options_.log;
      seat.on_news = [this] { link_->Hurry(); };
      if (held_.store != nullptr) {
        seat.replica.first_log = log_.next_log + i;
        seat.replica.log_step = endpoints_.size();
        seat.replica.comes_back = log_.was_there;
        seat.log_store = held_.store.get();
        seat.base_after_bytes = options_.base_after_bytes;
        seat.keeps_history = keeps_history();
      }
      seats_.push_back(std::make_unique<ReplicaSeat>(seat, std::move(endpoints_[i]),
                                                     TakeLogged(mine->lanes[i].node)));
      seats_.back()->Follow(map);
    }
    LONGTAIL_RETURN_IF_ERROR(RemoveOthers());
    if (keeps_history()) {
      keeper_ = std::make_unique<LogKeeper>(LogKeeper::Options{.store = held_.store.get(),
                                                               .server = entry_.name,
                                                               .keep = options_.keep_log,
                                                               .log = options_.log});
    }
    names_->Set(*map);
    map_ = std::make_unique<ClusterMapHolder>(
        *map, [this](const std::shared_ptr<const ClusterMap>& newer) {
          names_->Set(*newer);
          for (const auto& seat : seats_) seat->Follow(newer);
        });
    return absl::OkStatus();
  }

  // What the log has of that lane, if it has it.
  std::optional<server::LoggedLane> TakeLogged(NodeId lane) {
    const auto found = std::ranges::find(log_.lanes, lane, &server::LoggedLane::lane);
    if (found == log_.lanes.end()) return std::nullopt;
    server::LoggedLane taken = std::move(*found);
    log_.lanes.erase(found);
    return taken;
  }

  bool keeps_history() const { return options_.keep_log > absl::ZeroDuration(); }

  // Lanes that moved elsewhere while this server was not there.
  absl::Status RemoveOthers() {
    for (const server::LoggedLane& lane : log_.lanes) {
      const std::string prefix = LaneLogPrefix(entry_.name, lane.lane, lane.log);
      options_.log.Info("lane_is_elsewhere", {{"server", entry_.name}, {"log_is_over", prefix}});
      LONGTAIL_RETURN_IF_ERROR(keeps_history()
                                   ? server::EndLaneLog(*held_.store, prefix, absl::Now())
                                   : RemoveLaneLog(*held_.store, prefix));
    }
    log_.lanes.clear();
    return absl::OkStatus();
  }

  std::vector<Message> Pulse() {
    // Another process joined under its name, and may be gone: a message that came late, or one that
    // was started by mistake. But not one that has its logs now.
    if (link_->beats_without_place() >= kBeatsWithoutPlace &&
        (held_.store == nullptr || held_.check().ok())) {
      return {JoinServer{.request = 0, .server = entry_, .cluster = map_->Current()->cluster}};
    }
    Heartbeat heartbeat{.request = 0,
                        .session = {},
                        .server = entry_.name,
                        .incarnation = entry_.incarnation,
                        .map_version = map_->Current()->version,
                        .rows = 0,
                        .bytes = ResidentBytes(),
                        .caught_up = {}};
    for (const auto& seat : seats_) seat->AddTo(heartbeat);
    if (const absl::Time now = absl::Now(); now >= tell_tables_at_) {
      tell_tables_at_ = now + kTablesPeriod;
      AddTables(heartbeat);
    }
    return {std::move(heartbeat)};
  }

  void AddTables(Heartbeat& heartbeat) const {
    heartbeat.tables.resize(map_->Current()->tables.size());
    for (const auto& seat : seats_) {
      const std::vector<TableStatistics> tables = seat->Tables();
      // One that is defined this moment is told of the next time.
      for (std::size_t t = 0; t < std::min(tables.size(), heartbeat.tables.size()); ++t) {
        heartbeat.tables[t] += tables[t];
      }
    }
    for (TableStatistics& table : heartbeat.tables) {
      table.hot_keys.resize(std::min(table.hot_keys.size(), kHotKeysTold));
    }
  }

  const Options options_;
  const std::unique_ptr<ZmqNetwork> network_;
  const std::shared_ptr<TableNames> names_;
  ServerEntry entry_;                  // Its name stays as it is once pages are shown.
  std::unique_ptr<BlobStore> store_;   // Null: none was named.
  HeldStore held_;                     // Of logs; null: none are kept.
  std::unique_ptr<LogKeeper> keeper_;  // Null: old logs are not kept.
  std::uint64_t cluster_ = 0;          // Whose log there was; 0: none.
  server::ServerLog log_;              // Until its lanes have their seats.
  std::vector<std::unique_ptr<ZmqEndpoint>> endpoints_;  // The same.
  std::vector<std::unique_ptr<ReplicaSeat>> seats_;
  std::unique_ptr<ClusterMapHolder> map_;
  std::unique_ptr<CoordinatorLink> link_;
  absl::Time tell_tables_at_ = absl::InfinitePast();  // The pulse's own.
  mutable Mutex mutex_;
  std::string begins_with_ ABSL_GUARDED_BY(mutex_) = "begins";
  std::unique_ptr<AdminHttp> admin_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ServerProcess>> ServerProcess::Start(const Options& options) {
  LONGTAIL_ASSIGN_OR_RETURN(CoordinatorPlace place, FindCoordinator(options.coordinator));
  if (!options.keys.empty()) place.keys = options.keys;
  LONGTAIL_RETURN_IF_ERROR(
      CheckListening(options.listen, !place.keys.empty(), options.is_plain, options.log));
  LONGTAIL_ASSIGN_OR_RETURN(const std::shared_ptr<Keyring> keys, place.OpenKeys(options.log));
  const auto names = std::make_shared<TableNames>();
  LONGTAIL_ASSIGN_OR_RETURN(
      std::unique_ptr<ZmqNetwork> network,
      ZmqNetwork::Create({.keys = keys, .table_names = names, .log = options.log}));
  auto process = std::make_unique<Process>(options, std::move(network), names);
  LONGTAIL_RETURN_IF_ERROR(process->Run());
  return process;
}

}  // namespace longtail
