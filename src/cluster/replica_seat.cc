#include "cluster/replica_seat.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/mutex.h"
#include "cluster/lane_routes.h"
#include "protocol/lane_leader.h"
#include "protocol/replica_role_names.h"

namespace longtail {
namespace {

constexpr absl::Duration kBehindMost = absl::Hours(24 * 365);  // As of who was never current.

// Places of rows that are looked at with each pulse: half a millisecond of the lane's time.
constexpr std::size_t kCensusPlaces = 50'000;

}  // namespace

// Maps are events of the replica: whoever brings one does not wait for a lane that is busy.
class ReplicaSeat::Endpoint final : public Transport {
 public:
  // `before_wait` is called by the replica's thread whenever it has done what there was to do.
  Endpoint(std::unique_ptr<ZmqEndpoint> endpoint, std::function<void()> before_wait)
      : endpoint_(std::move(endpoint)), before_wait_(std::move(before_wait)) {}

  NodeId node() const override { return endpoint_->node(); }
  void Send(Envelope envelope) override { endpoint_->Send(std::move(envelope)); }
  void Wake() override { endpoint_->Wake(); }

  void Receive(absl::Time until, std::vector<Envelope>& events) override {
    before_wait_();
    endpoint_->Receive(until, events);
    std::shared_ptr<const ClusterMap> map;
    {
      const MutexLock lock(&mutex_);
      map.swap(map_);
    }
    if (map == nullptr) return;
    events.push_back({kCoordinatorNode, node(),
                      MapReply{.request = 0, .status = {}, .waits_for = {}, .map = map}});
  }

  absl::Status Connect(NodeId peer, const std::string& address) {
    return endpoint_->Connect(peer, address);
  }
  ZmqCounters counters() const { return endpoint_->counters(); }

  void Bring(const std::shared_ptr<const ClusterMap>& map) {
    {
      const MutexLock lock(&mutex_);
      map_ = map;
    }
    endpoint_->Wake();
  }

 private:
  const std::unique_ptr<ZmqEndpoint> endpoint_;
  const std::function<void()> before_wait_;
  Mutex mutex_;
  std::shared_ptr<const ClusterMap> map_ ABSL_GUARDED_BY(mutex_);  // Not yet received.
};

ReplicaSeat::ReplicaSeat(Options options, std::unique_ptr<ZmqEndpoint> endpoint,
                         std::optional<server::LoggedLane> lane)
    : options_(std::move(options)),
      core_(options_.replica),
      endpoint_(std::make_unique<Endpoint>(std::move(endpoint), [this] { TellNews(); })),
      log_(MakeLog(std::move(lane))),
      loader_({.server = options_.replica.server, .store = options_.store, .log = options_.log},
              {.take =
                   [this](std::uint64_t ticket, const RowBlock& rows) {
                     absl::Status taken;
                     loop_.Do([&](absl::Time, Effects&) { taken = core_.TakeRows(ticket, rows); });
                     return taken;
                   },
               .end =
                   [this](std::uint64_t ticket, const absl::Status& status) {
                     loop_.Do([&](absl::Time now, Effects& effects) {
                       core_.EndRows(ticket, status, now, effects);
                       loader_.Want(core_.wanted());
                     });
                   }}),
      loop_(core_, *endpoint_,
            CoreLoop::Options{
                .name = name(), .store = options_.store, .log = log_.get(), .meter = &meter_}) {
  options_.log.Info("place_listens", {{"server", options_.replica.server},
                                      {"place", options_.replica.seat},
                                      {"address", options_.address}});
}

ReplicaSeat::~ReplicaSeat() {
  loader_.Stop();  // It uses the loop.
}

std::unique_ptr<LaneLogWriter> ReplicaSeat::MakeLog(std::optional<server::LoggedLane> lane) {
  if (options_.replica.first_log == 0) return nullptr;
  auto log = std::make_unique<LaneLogWriter>(LaneLogWriter::Options{
      .store = options_.log_store, .keeps_history = options_.keeps_history, .log = options_.log});
  if (lane) {
    const std::uint64_t bytes = lane->recovered.log_bytes;
    core_.TakeLane(*std::move(lane));
    log->Begin(core_.Log(), bytes);
  }
  return log;
}

void ReplicaSeat::Follow(const std::shared_ptr<const ClusterMap>& map) {
  for (const ServerEntry& server : map->servers) {
    if (server.name != options_.replica.server || options_.replica.seat >= server.lanes.size()) {
      continue;
    }
    // Before the replica asks its leader.
    const std::optional<LaneLeader> leader =
        FindLeader(*map, server.lanes[options_.replica.seat].node);
    if (!leader || leader->server == &server) continue;
    const absl::Status connected = endpoint_->Connect(
        leader->entry->node, RouteTo(*leader->server, *leader->entry, options_.host));
    if (!connected.ok()) {
      options_.log.Error("leader_address_refused", {{"reason", std::string(connected.message())}});
    }
  }
  endpoint_->Bring(map);
}

void ReplicaSeat::TellNews() {
  if (const std::uint64_t n = core_.gauges().wants(); std::exchange(wants_, n) != n) {
    loop_.Do([&](absl::Time, Effects&) { loader_.Want(core_.wanted()); });
  }
  const LaneEpoch caught_up = core_.gauges().caught_up();
  if (std::exchange(told_, caught_up) == caught_up || caught_up.epoch == 0) return;
  if (options_.on_news) options_.on_news();
}

void ReplicaSeat::AddTo(Heartbeat& heartbeat) {
  const server::ReplicaGauges& gauges = core_.gauges();
  heartbeat.rows += gauges.rows();
  heartbeat.rows_pulled += gauges.rows_pulled();
  heartbeat.rows_pushed += gauges.rows_pushed();
  if (gauges.role() == ReplicaRole::kLeader) {
    heartbeat.loads.push_back({.lane = gauges.lane(),
                               .rows = gauges.rows(),
                               .rows_pulled = gauges.rows_pulled(),
                               .rows_pushed = gauges.rows_pushed()});
  }
  const LaneEpoch caught_up = gauges.caught_up();
  if (caught_up.epoch != 0) heartbeat.caught_up.push_back(caught_up);
  if (const StuckReplica stuck = gauges.stuck(); stuck.lane.epoch != 0) {
    heartbeat.stuck.push_back(stuck);
  }
  if (gauges.role() == ReplicaRole::kReader) {
    const absl::Duration behind = std::min(this->behind(), kBehindMost);
    heartbeat.behind_ms = std::max(heartbeat.behind_ms,
                                   static_cast<std::uint64_t>(absl::ToInt64Milliseconds(behind)));
  }
  if (log_ != nullptr && log_->bytes_since_base() >= options_.base_after_bytes) {
    loop_.Do([&](absl::Time now, Effects& effects) {
      if (core_.WriteBase(now, effects)) log_->NoteBase();
    });
  }
  TakeCensus();
  const auto lane = static_cast<std::uint32_t>(caught_up.lane);
  if (const ReplicaRole role = gauges.role(); std::exchange(role_, role) != role) {
    options_.log.Info("replica", {{"server", options_.replica.server},
                                  {"place", options_.replica.seat},
                                  {"lane", lane},
                                  {"role", ReplicaRoleName(role)}});
  }
  if (const std::uint64_t n = gauges.images(); std::exchange(images_, n) != n) {
    options_.log.Info("replica_gets_image",
                      {{"server", options_.replica.server}, {"lane", lane}, {"images", n}});
  }
  if (const std::uint64_t n = gauges.problems(); std::exchange(problems_, n) != n) {
    std::string problem;
    loop_.Do([&](absl::Time, Effects&) { problem = core_.problem(); });
    options_.log.Error("replica_cannot_follow",
                       {{"server", options_.replica.server}, {"reason", problem}});
  }
}

void ReplicaSeat::TakeCensus() {
  loop_.Do([&](absl::Time, Effects&) {
    if (!core_.leads() || core_.lane() == nullptr) {
      census_ = {};
      return;
    }
    census_.Advance(*core_.lane(), kCensusPlaces);
  });
}

std::vector<TableStatistics> ReplicaSeat::Tables() {
  std::vector<TableStatistics> tables;
  loop_.Do([&](absl::Time, Effects&) {
    if (!core_.leads() || core_.lane() == nullptr) return;
    tables = core_.lane()->TableCounts();
    auto rows_by_count = census_.RowsByCount();
    // A table may be newer than the census.
    for (std::size_t t = 0; t < std::min(tables.size(), rows_by_count.size()); ++t) {
      tables[t].rows_by_count = std::move(rows_by_count[t]);
    }
  });
  return tables;
}

std::string ReplicaSeat::name() const {
  return absl::StrCat("lane-", options_.replica.seat);
}

absl::Duration ReplicaSeat::behind() const {
  const server::ReplicaGauges& gauges = core_.gauges();
  if (gauges.role() != ReplicaRole::kReader) return absl::ZeroDuration();
  return std::max(absl::Now() - gauges.current_at(), absl::ZeroDuration());
}

PlaceReport ReplicaSeat::Report() {
  const server::ReplicaGauges& gauges = core_.gauges();
  PlaceReport report{.place = options_.replica.seat,
                     .lane = gauges.lane(),
                     .role = gauges.role(),
                     .rows_pulled = gauges.rows_pulled(),
                     .rows_pushed = gauges.rows_pushed(),
                     .images = gauges.images(),
                     .problems = gauges.problems(),
                     .keeps_log = log_ != nullptr,
                     .tables = Tables(),
                     .messages = endpoint_->counters(),
                     .meter = &meter_};
  report.behind = behind();
  if (log_ != nullptr) {
    report.log_bytes = log_->bytes_written();
    report.log_bytes_since_base = log_->bytes_since_base();
  }
  loop_.Do([&](absl::Time, Effects&) {
    if (core_.lane() == nullptr) return;
    report.step = core_.lane()->least_step();
    report.log_entries = core_.lane()->log_end();
  });
  return report;
}

}  // namespace longtail
