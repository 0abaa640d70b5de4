#include "sim/sim_log.h"

#include <utility>

#include "io/lane_log_writer.h"
#include "protocol/lane_log.h"
#include "protocol/lane_log_names.h"
#include "protocol/store_write.h"

namespace longtail::sim {

// As a loop does it: writes that the core waits for before anything else.
void SimLog::TakeEffects(Core& core, absl::Time now, Effects& effects) {
  while (!effects.writes.empty()) {
    const std::vector<StoreWrite> writes = std::move(effects.writes);
    effects.writes.clear();
    for (const StoreWrite& write : writes) {
      if (!write.is_background) {
        Store(write, core, now, effects);
        continue;
      }
      storing_.push_back(write);
      if (storing_.size() == 1) stored_at_ = now + absl::Microseconds(1 + rng_.Below(5000));
    }
  }
  if (effects.wake_at) wake_at_ = std::min(wake_at_, *effects.wake_at);
  effects.wake_at.reset();
  if (effects.log_begin) work_.push_back({.begin = *std::move(effects.log_begin)});
  effects.log_begin.reset();
  if (!effects.log.empty()) {
    if (work_.empty() || work_.back().trim) work_.emplace_back();
    std::vector<LogEntry>& waiting = work_.back().entries;
    for (LogEntry& entry : effects.log) waiting.push_back(std::move(entry));
    effects.log.clear();
  }
  if (effects.log_base) {
    ++bases_;
    work_.push_back({.trim = *effects.log_base});
    effects.log_base.reset();
  }
  Go(now);
}

// What there is to do, up to the next write.
void SimLog::Go(absl::Time now) {
  while (writing_.empty() && !work_.empty()) {
    const Work work = std::move(work_.front());
    work_.pop_front();
    if (work.begin) {
      if (!log_.prefix.empty() && log_.prefix != work.begin->prefix) {
        replaced_.push_back(log_.prefix);
      }
      log_ = *work.begin;
      segment_.clear();
      if (log_.is_whole) RemoveReplaced(log_.prefix.empty(), now);
    }
    if (work.trim) Trim(*work.trim, now);
    if (!work.entries.empty() && !log_.prefix.empty()) BeginSync(work.entries, now);
  }
}

void SimLog::BeginSync(const std::vector<LogEntry>& entries, absl::Time now) {
  const std::uint64_t first = entries.front().number;
  if (segment_.empty() || segment_bytes_ > 2000) {
    segment_ = LaneLogName(log_.prefix, first);
    segment_bytes_ = 0;
    LaneLogHeader header = log_.header;
    header.first = first;
    AppendLaneLogHeader(header, writing_);
  }
  std::string frame;
  for (const LogEntry& entry : entries) {
    const LogRecordHeader header{
        .number = entry.number, .durable_end = first, .time_us = entry.time_us};
    if (entry.frame.empty()) {
      AppendLogRecord(entry.message, header, frame, writing_);
    } else {
      AppendLogRecord(entry.frame, header, writing_);
    }
  }
  writing_end_ = entries.back().number + 1;
  const bool is_store_away = rng_.Below(50) == 0;
  synced_at_ = now + absl::Microseconds(50 + rng_.Below(is_store_away ? 300'000 : 3000));
}

void SimLog::Tick(Core& core, absl::Time now, Effects& effects) {
  if (now >= wake_at_) {
    wake_at_ = absl::InfiniteFuture();
    core.Tick(now, effects);
    TakeEffects(core, now, effects);
  }
  if (now >= stored_at_) {
    const StoreWrite write = std::move(storing_.front());
    storing_.pop_front();
    stored_at_ =
        storing_.empty() ? absl::InfiniteFuture() : now + absl::Microseconds(1 + rng_.Below(5000));
    Store(write, core, now, effects);
    TakeEffects(core, now, effects);
  }
  if (now < synced_at_) return;
  Write(writing_);
  writing_.clear();
  synced_at_ = absl::InfiniteFuture();
  has_synced_ = true;
  core.OnLogged(log_.log, writing_end_, now, effects);
  TakeEffects(core, now, effects);
}

// A write may fail; then a base is none.
void SimLog::Store(const StoreWrite& write, Core& core, absl::Time now, Effects& effects) {
  const bool fails = rng_.Below(20) == 0;
  core.OnStored(CarryOutWrite(write,
                              [&](const std::string& name, const std::string& bytes) {
                                if (fails) return absl::UnavailableError("the store is away");
                                return store_.Write(name, bytes);
                              }),
                now, effects);
}

void SimLog::RemoveReplaced(bool marks, absl::Time now) {
  for (const std::string& prefix : std::exchange(replaced_, {})) {
    if ((marks || keeps_history_) && rng_.Below(50) == 0) continue;
    if (marks || keeps_history_) {
      static_cast<void>(store_.Write(LaneLogGone(prefix), LaneLogGoneText(now)));
    }
    if (keeps_history_) continue;
    const std::vector<std::string> removal = RemovalOf(*store_.List(prefix + "/"), prefix);
    for (const std::string& name : removal) {
      if (rng_.Below(50) == 0) break;  // The store is away again.
      static_cast<void>(store_.Remove(name));
    }
  }
}

// Between two writes of the log, as the thread does that writes it.
void SimLog::Trim(std::uint64_t end, absl::Time now) {
  segment_.clear();
  RemoveReplaced(false, now);
  if (keeps_history_) return;
  const std::vector<std::string> names = *store_.List(log_.prefix + "/");
  for (const std::string& name : SuperfluousOf(names, log_.prefix, end)) {
    if (rng_.Below(50) == 0) break;  // The store is away again.
    static_cast<void>(store_.Remove(name));
  }
}

void SimLog::Write(std::string_view bytes) {
  const absl::Status written = store_.Extend(segment_, segment_bytes_, bytes);
  if (!written.ok()) wrong_ = written.ToString();
  segment_bytes_ += bytes.size();
}

void SimLog::Crash() {
  work_.clear();
  storing_.clear();
  replaced_.clear();
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
  log_ = {};
  synced_at_ = absl::InfiniteFuture();
}

}  // namespace longtail::sim
