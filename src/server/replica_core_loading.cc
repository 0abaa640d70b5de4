// A leader whose rows are of an older epoch of the cluster: it takes those of a checkpoint.
#include <algorithm>
#include <utility>

#include "server/replica_core.h"

namespace longtail::server {

// What it has stays until it has the others: readers may look at it.
void ReplicaCore::WantRows(Effects& effects) {
  if (wanted_ && wanted_->map->epoch == map_->epoch) return;
  followers_.clear();
  hands_over_ = false;
  gauges_.SetCaughtUp(lane_node_, 0);
  gauges_.SetStuck({});
  lane_->StopLeading(effects);
  wanted_ = {.ticket = ++gauges_.wants_, .lane = lane_node_, .map = map_};
  problem_.clear();
  loading_ = MakeLane(false);
  const absl::Status begun = loading_->BeginLoad(map_->tables);
  if (!begun.ok()) Note(std::string(begun.message()));
}

void ReplicaCore::WantNone() {
  if (!wanted_) return;
  wanted_.reset();
  loading_.reset();
  ++gauges_.wants_;
}

absl::Status ReplicaCore::TakeRows(std::uint64_t ticket, const RowBlock& rows) {
  if (wanted_ && wanted_->ticket == ticket) return loading_->LoadRows(rows);
  return absl::AbortedError("the lane does not wait for these rows any more");
}

void ReplicaCore::EndRows(std::uint64_t ticket, const absl::Status& status, absl::Time now,
                          Effects& effects) {
  if (!wanted_ || wanted_->ticket != ticket) return;
  if (!status.ok()) {
    wanted_.reset();
    WantRows(effects);
    return Note(std::string(status.message()));
  }
  // No log has an entry of that number: whoever has those before it gets an image.
  loading_->EndLoad(map_->rolled_back.step, lane_->log_end() + 1, lane_->time_us());
  lane_ = std::move(loading_);
  WantNone();
  epochs_.clear();
  tail_.Reset(lane_->log_end());
  acknowledged_ = lane_->log_end();
  if (keeps_log()) BeginLog(false, effects);
  BeginEpoch(now, effects);
  WriteBase(now, effects);
}

// A lane may have been told of a table before it heard of the rollback, and all lanes of it.
void ReplicaCore::MakeTables(absl::Time now, Effects& effects) {
  bool has_made = false;
  for (std::uint32_t t = lane_->table_count(); t < map_->tables.size(); ++t) {
    const NodeId self = lane_node_;
    lane_->Step({self, self, CreateTable{0, TableId{t}, map_->tables[t]}}, now, effects);
    has_made = true;
  }
  if (!has_made) return;
  // What it answers is for nobody.
  std::erase_if(effects.sends, [&](const Envelope& e) { return e.target == lane_node_; });
  AfterLane(now, effects);
}

}  // namespace longtail::server
