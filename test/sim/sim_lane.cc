#include "sim/sim_lane.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "protocol/lane_log_names.h"
#include "server/lane_place.h"
#include "server/lane_recovery.h"

namespace longtail::sim {

namespace {

// Bases so slow that much happens before they are whole; now and then the lane must wait for them.
void SetSnapshots(Rng& rng, server::LaneCore::Options& options) {
  options.snapshot.slice_bytes = 1 + rng.Below(200);
  if (rng.Below(4) == 0) options.snapshot.kept_bytes_max = 0;
}

}  // namespace

SimLane::SimLane(std::shared_ptr<const ClusterMap> map, std::uint32_t lane, bool keeps_log,
                 std::uint64_t seed, std::size_t key_list_bytes_max)
    : map_(std::move(map)),
      lane_(lane),
      keeps_log_(keeps_log),
      rng_(seed),
      log_(store_, Mix64(seed)) {
  server::LaneCore::Options options = *server::PlaceOfLane(*map_, Node());
  options.keeps_log = keeps_log;
  options.key_list_bytes_max = key_list_bytes_max;
  SetSnapshots(rng_, options);
  core_ = std::make_unique<server::LaneCore>(options);
  Effects effects;
  if (keeps_log) BeginLog(0);
  if (keeps_log) core_->BeginLog(map_, absl::UnixEpoch(), effects);
  for (std::uint32_t t = 0; t < map_->tables.size(); ++t) {
    core_->Step({options.self, options.self, CreateTable{1, TableId{t}, map_->tables[t]}},
                absl::UnixEpoch(), effects);
  }
  // The cluster begins once all lanes have this.
  log_.TakeEffects(*core_, absl::UnixEpoch(), effects);
  while (!log_.is_idle()) log_.Tick(*core_, log_.next(), effects);
}

void SimLane::BeginLog(std::uint64_t first) {
  log_.Begin({.log = 1,
              .prefix = Prefix(),
              .header = {.lane = static_cast<std::uint32_t>(Node()),
                         .cluster = map_->cluster,
                         .first = first},
              .is_whole = true});
}

NodeId SimLane::Node() const {
  return map_->lanes[lane_];
}

std::string SimLane::Prefix() const {
  return LaneLogPrefix(map_->servers[lane_].name, Node(), 1);
}

void SimLane::Step(const Envelope& event, absl::Time now, Effects& effects) {
  if (!is_up()) return;
  core_->Step(event, now, effects);
  log_.TakeEffects(*core_, now, effects);
}

void SimLane::Tick(absl::Time now, Effects& effects) {
  if (is_up()) {
    log_.Tick(*core_, now, effects);
    if (!log_.TakeSynced() || rng_.Below(20) != 0) return;
    core_->WriteBase(map_, {}, Prefix(), now, effects);
    log_.TakeEffects(*core_, now, effects);
    return;
  }
  if (now < up_at_) return;
  absl::StatusOr<server::RecoveredLane> recovered =
      server::RecoverLane(store_, Prefix(), Node(), 0);
  if (!recovered.ok() || recovered->core == nullptr) {
    wrong_ = absl::StrCat("lane ", lane_, " does not come back: ", recovered.status().ToString());
    up_at_ = absl::InfiniteFuture();
    return;
  }
  core_ = std::move(recovered->core);
  BeginLog(core_->log_end());
}

void SimLane::Crash(absl::Time up_at) {
  core_.reset();
  log_.Crash();
  up_at_ = up_at;
}

}  // namespace longtail::sim
