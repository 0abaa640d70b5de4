#include "sim/sim_lane.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "protocol/lane_log.h"
#include "protocol/lane_log_names.h"
#include "protocol/store_write.h"
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
    : map_(std::move(map)), lane_(lane), keeps_log_(keeps_log), rng_(seed) {
  server::LaneCore::Options options = *server::PlaceOfLane(*map_, ServerName(), 0);
  options.keeps_log = keeps_log;
  options.key_list_bytes_max = key_list_bytes_max;
  SetSnapshots(rng_, options);
  core_ = std::make_unique<server::LaneCore>(options);
  Effects effects;
  if (keeps_log) core_->BeginLog(map_, effects);
  for (std::uint32_t t = 0; t < map_->tables.size(); ++t) {
    core_->Step({options.self, options.self, CreateTable{1, TableId{t}, map_->tables[t]}},
                absl::UnixEpoch(), effects);
  }
  // The cluster begins once all lanes have this.
  TakeEffects(absl::UnixEpoch(), effects);
  if (keeps_log) Tick(synced_at_, effects);
}

std::string SimLane::ServerName() const {
  return map_->servers[lane_].name;
}

void SimLane::Step(const Envelope& event, absl::Time now, Effects& effects) {
  if (!is_up()) return;
  core_->Step(event, now, effects);
  TakeEffects(now, effects);
}

// As a loop does it: writes that the lane waits for before anything else.
void SimLane::TakeEffects(absl::Time now, Effects& effects) {
  while (!effects.writes.empty()) {
    const std::vector<StoreWrite> writes = std::move(effects.writes);
    effects.writes.clear();
    for (const StoreWrite& write : writes) {
      if (!write.is_background) {
        Store(write, now, effects);
        continue;
      }
      storing_.push_back(write);
      if (storing_.size() == 1) stored_at_ = now + absl::Microseconds(1 + rng_.Below(5000));
    }
  }
  if (effects.wake_at) wake_at_ = std::min(wake_at_, *effects.wake_at);
  effects.wake_at.reset();
  if (effects.log_base) {
    ++bases_;
    trim_ = effects.log_base;
    effects.log_base.reset();
  }
  if (writing_.empty()) Trim();
  for (LogEntry& entry : effects.log) pending_.push_back(std::move(entry));
  effects.log.clear();
  if (writing_.empty() && !pending_.empty()) BeginSync(now);
}

void SimLane::BeginSync(absl::Time now) {
  const std::uint64_t first = pending_.front().number;
  if (segment_.empty() || segment_bytes_ > 2000) {
    segment_ = LaneLogName(server::LaneLogPrefix(ServerName(), 0), first);
    segment_bytes_ = 0;
    AppendLaneLogHeader({.lane = 0, .cluster = map_->cluster, .first = first}, writing_);
  }
  std::string frame;
  for (const LogEntry& entry : pending_) {
    AppendLogRecord(entry.message, entry.number, first, frame, writing_);
  }
  writing_end_ = pending_.back().number + 1;
  pending_.clear();
  const bool is_store_away = rng_.Below(50) == 0;
  synced_at_ = now + absl::Microseconds(50 + rng_.Below(is_store_away ? 300'000 : 3000));
}

void SimLane::Tick(absl::Time now, Effects& effects) {
  if (is_up()) {
    if (now >= wake_at_) {
      wake_at_ = absl::InfiniteFuture();
      core_->Tick(now, effects);
      TakeEffects(now, effects);
    }
    if (now >= stored_at_) {
      const StoreWrite write = std::move(storing_.front());
      storing_.pop_front();
      stored_at_ = storing_.empty() ? absl::InfiniteFuture()
                                    : now + absl::Microseconds(1 + rng_.Below(5000));
      Store(write, now, effects);
      TakeEffects(now, effects);
    }
    if (now < synced_at_) return;
    Write(writing_);
    writing_.clear();
    synced_at_ = absl::InfiniteFuture();
    Trim();
    core_->OnLogged(writing_end_, now, effects);
    if (rng_.Below(20) == 0) WriteBase(now, effects);
    if (writing_.empty() && !pending_.empty()) BeginSync(now);
    return;
  }
  if (now < up_at_) return;
  absl::StatusOr<server::RecoveredLane> recovered = server::RecoverLane(store_, ServerName(), 0);
  if (!recovered.ok() || recovered->core == nullptr) {
    wrong_ = absl::StrCat("lane ", lane_, " does not come back: ", recovered.status().ToString());
    up_at_ = absl::InfiniteFuture();
    return;
  }
  core_ = std::move(recovered->core);
}

void SimLane::WriteBase(absl::Time now, Effects& effects) {
  core_->WriteBase(map_, 0, server::LaneLogPrefix(ServerName(), 0), now, effects);
  TakeEffects(now, effects);
}

// A write may fail; then the base is none.
void SimLane::Store(const StoreWrite& write, absl::Time now, Effects& effects) {
  const bool fails = rng_.Below(20) == 0;
  core_->OnStored(CarryOutWrite(write,
                                [&](const std::string& name, const std::string& bytes) {
                                  if (fails) return absl::UnavailableError("the store is away");
                                  return store_.Write(name, bytes);
                                }),
                  now, effects);
}

// Between two writes of the log, as the thread does that writes it.
void SimLane::Trim() {
  if (!trim_) return;
  segment_.clear();
  const std::string prefix = server::LaneLogPrefix(ServerName(), 0);
  const std::vector<std::string> names = *store_.List(prefix);
  for (const std::string& name :
       SuperfluousOf(names, prefix, *std::exchange(trim_, std::nullopt))) {
    if (rng_.Below(50) == 0) break;  // The store is away again.
    static_cast<void>(store_.Remove(name));
  }
}

void SimLane::Write(std::string_view bytes) {
  const absl::Status written = store_.Extend(segment_, segment_bytes_, bytes);
  if (!written.ok()) wrong_ = written.ToString();
  segment_bytes_ += bytes.size();
}

void SimLane::Crash(absl::Time up_at) {
  core_.reset();
  pending_.clear();
  storing_.clear();
  trim_.reset();
  stored_at_ = wake_at_ = absl::InfiniteFuture();
  if (!writing_.empty()) {
    const std::size_t kept = rng_.Below(writing_.size() + 1);
    torn_writes_ += kept > 0 && kept < writing_.size() ? 1 : 0;
    std::string left = writing_.substr(0, kept);
    // A disk may have the end of a write and not what is before it.
    if (rng_.Below(3) == 0 && kept > 0) {
      const std::size_t hole = rng_.Below(kept);
      const std::size_t end = hole + rng_.Below(kept - hole + 1);
      std::fill(left.begin() + static_cast<std::ptrdiff_t>(hole),
                left.begin() + static_cast<std::ptrdiff_t>(end), '\0');
    }
    Write(left);
    writing_.clear();
  }
  segment_.clear();
  synced_at_ = absl::InfiniteFuture();
  up_at_ = up_at;
}

}  // namespace longtail::sim
