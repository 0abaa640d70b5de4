#include "cluster/coordinator_process.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "cluster/coordinator_figures.h"
#include "cluster/coordinator_place.h"
#include "cluster/coordinator_store.h"
#include "cluster/lane_routes.h"
#include "cluster/process_pages.h"
#include "cluster/status_json.h"
#include "cluster/tcp_address.h"
#include "io/core_loop.h"
#include "io/this_process.h"
#include "io/zmq_network.h"
#include "protocol/coordinator_state.h"

namespace longtail {
namespace {

// Keeps nothing: for a coordinator without a state directory.
class ForgetfulStore final : public BlobStore {
 public:
  absl::Status Write(std::string_view, std::string_view) override { return absl::OkStatus(); }
  absl::Status Extend(std::string_view, std::uint64_t, std::string_view) override {
    return absl::OkStatus();
  }
  absl::StatusOr<std::string> Read(std::string_view name) override {
    return absl::NotFoundError(absl::StrCat("blob '", std::string(name), "': nothing is kept"));
  }
  absl::StatusOr<std::vector<std::string>> List(std::string_view) override {
    return std::vector<std::string>();
  }
  absl::Status Remove(std::string_view) override { return absl::OkStatus(); }
  absl::Status RemoveUnfinished(std::string_view) override { return absl::OkStatus(); }
  std::string Describe() const override { return "nowhere"; }
};

// The core, and beside it what its effects need: connections to the lanes it speaks to.
class ConnectingCore final : public Core {
 public:
  ConnectingCore(server::CoordinatorCore& core, ZmqEndpoint& endpoint, const Log& log)
      : core_(core), endpoint_(endpoint), log_(log), host_(HostId()) {}

  void Step(const Envelope& event, absl::Time now, Effects& effects) override {
    core_.Step(event, now, effects);
    Follow();
  }
  void OnStored(const StoreAnswer& answer, absl::Time now, Effects& effects) override {
    if (!answer.status.ok()) {
      log_.Error("state_not_written", {{"reason", std::string(answer.status.message())}});
    }
    core_.OnStored(answer, now, effects);
    Follow();
  }
  void Tick(absl::Time now, Effects& effects) override {
    core_.Tick(now, effects);
    Follow();
  }

 private:
  void Follow() {
    const ClusterMap& map = core_.state().map;
    if (core_.is_formed() && map.version != version_) {
      const absl::Status connected = ConnectLanes(map, host_, std::nullopt, endpoint_);
      if (!connected.ok()) {
        log_.Error("lane_address_refused", {{"reason", std::string(connected.message())}});
      }
      if (version_ == 0) {
        log_.Info("cluster_formed", {{"servers", map.servers.size()},
                                     {"lanes", map.lanes.size()},
                                     {"partitions", map.lane_of.size()}});
      }
      version_ = map.version;
    }
    if (map.tables.size() != tables_) {
      tables_ = map.tables.size();
      log_.Info("tables", {{"count", tables_}});
    }
    if (core_.state().workers.size() != workers_) {
      workers_ = core_.state().workers.size();
      log_.Info("workers", {{"count", workers_}});
    }
  }

  server::CoordinatorCore& core_;
  ZmqEndpoint& endpoint_;
  const Log& log_;
  const std::string host_;
  std::uint64_t version_ = 0;  // Of the map whose lanes are connected.
  std::size_t tables_ = 0;
  std::size_t workers_ = 0;
};

class Process final : public CoordinatorProcess {
 public:
  Process(const Options& options, std::unique_ptr<ZmqNetwork> network,
          std::unique_ptr<ZmqEndpoint> endpoint, std::unique_ptr<BlobStore> store,
          std::unique_ptr<server::CoordinatorCore> core, std::string address,
          std::shared_ptr<const std::atomic<bool>> lost)
      : options_(options),
        network_(std::move(network)),
        endpoint_(std::move(endpoint)),
        store_(std::move(store)),
        core_(std::move(core)),
        connecting_(*core_, *endpoint_, options_.log),
        address_(std::move(address)),
        lost_(std::move(lost)),
        loop_(connecting_, *endpoint_,
              CoreLoop::Options{.name = "coordinator", .store = store_.get(), .meter = &meter_}) {
    // What it was doing when it last ended goes on at once.
    loop_.Do([this](absl::Time now, Effects& effects) { connecting_.Tick(now, effects); });
  }

  absl::Status Show() {
    if (options_.admin.empty()) return absl::OkStatus();
    LONGTAIL_ASSIGN_OR_RETURN(
        admin_, ShowPages(options_.admin, {.standing_still = [this] { return StandingStill(); },
                                           .why_not_ready = [this] { return WhyNotReady(); },
                                           .figures =
                                               [this](MetricPage& page) {
                                                 AddCoordinatorFigures(Status(), page);
                                                 AddGivenUp(page);
                                                 AddLoopFigures({{"coordinator", &meter_}}, page);
                                                 AddKeyFigures(*network_, page);
                                               },
                                           .status = [this] { return StatusJson(Status()); }}));
    options_.log.Info("pages", {{"coordinator", address_}, {"address", admin_->address()}});
    return absl::OkStatus();
  }

  const std::string& address() const override { return address_; }
  std::string admin_address() const override {
    return admin_ == nullptr ? std::string() : admin_->address();
  }

 private:
  std::vector<std::string> StandingStill() const {
    std::string loop = StandsStill("coordinator", meter_, absl::Now());
    return loop.empty() ? std::vector<std::string>() : std::vector<std::string>{std::move(loop)};
  }

  // It coordinates from the first moment on; whom a cluster lacks is no fault of its.
  std::vector<std::string> WhyNotReady() const {
    return lost_->load() ? std::vector<std::string>{"another coordinator has taken the state over"}
                         : std::vector<std::string>();
  }

  void AddGivenUp(MetricPage& page) {
    std::uint64_t count = 0;
    loop_.Do([&](absl::Time, Effects&) { count = core_->workers_given_up(); });
    page.Counter("longtail_cluster_given_up_workers_total",
                 "Workers that were silent for longer than their lease.", count);
  }

  ClusterStatus Status() {
    ClusterStatus status{.coordinator = address_, .waits_for = {}, .map = nullptr, .members = {}};
    loop_.Do([&](absl::Time now, Effects&) {
      MembersReply members = core_->Members(now);
      status.waits_for = std::move(members.waits_for);
      status.members = std::move(members.members);
      status.moves_left = members.moves_left;
      status.lanes = std::move(members.lanes);
      status.tables = std::move(members.tables);
      if (core_->is_formed()) {
        status.map = std::make_shared<const ClusterMap>(core_->state().map);
      }
    });
    return status;
  }

  const Options options_;
  const std::unique_ptr<ZmqNetwork> network_;
  const std::unique_ptr<ZmqEndpoint> endpoint_;
  const std::unique_ptr<BlobStore> store_;
  const std::unique_ptr<server::CoordinatorCore> core_;
  ConnectingCore connecting_;
  const std::string address_;
  const std::shared_ptr<const std::atomic<bool>> lost_;  // The state.
  LoopMeter meter_;
  CoreLoop loop_;                     // Its thread uses all the others.
  std::unique_ptr<AdminHttp> admin_;  // Last: it shows them.
};

absl::StatusOr<std::unique_ptr<server::CoordinatorCore>> MakeCore(
    const CoordinatorProcess::Options& options, BlobStore& store) {
  const absl::StatusOr<std::string> kept = store.Read(server::kCoordinatorStateName);
  if (absl::IsNotFound(kept.status())) {
    server::CoordinatorCore::Options cluster = options.cluster;
    cluster.cluster = DrawIncarnation();
    return server::CoordinatorCore::Make(cluster);
  }
  LONGTAIL_RETURN_IF_ERROR(kept.status());
  LONGTAIL_ASSIGN_OR_RETURN(CoordinatorState state,
                            DecodeCoordinatorState(absl::StrCat("'", server::kCoordinatorStateName,
                                                                "' in ", store.Describe()),
                                                   AsBytes(*kept)));
  options.log.Info("resumed", {{"servers", state.map.servers.size()},
                               {"tables", state.map.tables.size()},
                               {"workers", state.workers.size()}});
  return server::CoordinatorCore::Resume(options.cluster, std::move(state));
}

}  // namespace

absl::StatusOr<std::unique_ptr<CoordinatorProcess>> CoordinatorProcess::Start(
    const Options& options) {
  LONGTAIL_RETURN_IF_ERROR(
      CheckListening(options.listen, !options.keys.empty(), options.is_plain, options.log));
  const CoordinatorPlace place{.address = options.listen, .keys = options.keys};
  LONGTAIL_ASSIGN_OR_RETURN(const std::shared_ptr<Keyring> keys, place.OpenKeys(options.log));
  LONGTAIL_RETURN_IF_ERROR(ParseTcpAddress(options.listen).status());
  std::unique_ptr<BlobStore> store = std::make_unique<ForgetfulStore>();
  const auto lost = std::make_shared<std::atomic<bool>>(false);
  if (!options.state.empty()) {
    const auto on_lost = [log = options.log, told = options.on_state_lost,
                          lost](const absl::Status& why) {
      *lost = true;
      log.Error("state_lost", {{"reason", std::string(why.message())}});
      if (told) told(why);
    };
    LONGTAIL_ASSIGN_OR_RETURN(store, CoordinatorStore::Open(options.state, on_lost));
  }
  LONGTAIL_ASSIGN_OR_RETURN(std::unique_ptr<server::CoordinatorCore> core,
                            MakeCore(options, *store));
  LONGTAIL_ASSIGN_OR_RETURN(std::unique_ptr<ZmqNetwork> network,
                            ZmqNetwork::Create({.keys = keys, .log = options.log}));
  const std::string listen[] = {options.listen};
  LONGTAIL_ASSIGN_OR_RETURN(std::unique_ptr<ZmqEndpoint> endpoint,
                            network->Join(kCoordinatorNode, listen));
  LONGTAIL_ASSIGN_OR_RETURN(const TcpAddress bound, ParseTcpAddress(endpoint->addresses()[0]));
  std::string address = absl::StrCat("tcp://", ReachableHost(bound.host), ":", bound.port);
  auto process =
      std::make_unique<Process>(options, std::move(network), std::move(endpoint), std::move(store),
                                std::move(core), std::move(address), lost);
  LONGTAIL_RETURN_IF_ERROR(process->Show());
  return process;
}

}  // namespace longtail
