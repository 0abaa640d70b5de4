#include "io/lane_log_writer.h"

#include <pthread.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/status_macros.h"
#include "protocol/lane_log.h"
#include "protocol/lane_log_names.h"

namespace longtail {

absl::Status RemoveLaneLog(BlobStore& store, const std::string& prefix) {
  LONGTAIL_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                            store.List(absl::StrCat(prefix, "/")));
  for (const std::string& name : RemovalOf(names, prefix)) {
    const absl::Status removed = store.Remove(name);
    if (!removed.ok() && !absl::IsNotFound(removed)) return removed;
  }
  return absl::OkStatus();
}

void LaneLogWriter::Start(OnDurable on_durable) {
  thread_ = std::thread([this, on_durable = std::move(on_durable)] { Run(on_durable); });
  pthread_setname_np(thread_.native_handle(), "lane-log");
}

void LaneLogWriter::Begin(LogBegin begin, std::uint64_t bytes_since_base) {
  base_bytes_ = trimmed_bytes_ = bytes_written_.load();
  bytes_written_ += bytes_since_base;
  const MutexLock lock(&mutex_);
  pending_.push_back({.begin = std::move(begin)});
  changed_.Signal();
}

void LaneLogWriter::Append(std::vector<LogEntry>& entries) {
  if (entries.empty()) return;
  const MutexLock lock(&mutex_);
  if (pending_.empty() || pending_.back().trim) pending_.emplace_back();
  std::vector<LogEntry>& waiting = pending_.back().entries;
  for (LogEntry& entry : entries) waiting.push_back(std::move(entry));
  entries.clear();
  changed_.Signal();
}

void LaneLogWriter::Trim(std::uint64_t end) {
  trimmed_bytes_ = base_bytes_.load();
  const MutexLock lock(&mutex_);
  pending_.push_back({.trim = end});
  changed_.Signal();
}

void LaneLogWriter::Stop() {
  {
    const MutexLock lock(&mutex_);
    stop_ = true;
    changed_.Signal();
  }
  if (thread_.joinable()) thread_.join();
}

void LaneLogWriter::Run(const OnDurable& on_durable) {
  std::vector<Work> works;
  for (;;) {
    {
      const MutexLock lock(&mutex_);
      while (pending_.empty() && !stop_) changed_.Wait(&mutex_);
      if (pending_.empty()) return;
      works.swap(pending_);
    }
    for (Work& work : works) {
      if (work.begin) StartLog(*std::move(work.begin));
      const std::vector<LogEntry>& entries = work.entries;
      for (std::size_t at = 0; at < entries.size() && !log_.prefix.empty();) {
        const std::size_t end = WriteSome(entries, at);
        if (end == at) return;
        on_durable(log_.log, entries[end - 1].number + 1);
        at = end;
      }
      if (work.trim) RemoveBefore(*work.trim);
    }
    works.clear();
  }
}

void LaneLogWriter::StartLog(LogBegin begin) {
  if (!log_.prefix.empty() && log_.prefix != begin.prefix) replaced_.push_back(log_.prefix);
  log_ = std::move(begin);
  segment_.clear();
  if (log_.is_whole) RemoveReplaced(log_.prefix.empty());
}

std::size_t LaneLogWriter::WriteSome(const std::vector<LogEntry>& entries, std::size_t at) {
  const std::uint64_t first = entries[at].number;
  bytes_.clear();
  if (segment_.empty() || offset_ >= options_.segment_bytes_max) {
    segment_ = LaneLogName(log_.prefix, first);
    offset_ = 0;
    LaneLogHeader header = log_.header;
    header.first = first;
    AppendLaneLogHeader(header, bytes_);
  }
  std::size_t end = at;
  while (end < entries.size() &&
         (end == at || offset_ + bytes_.size() < options_.segment_bytes_max)) {
    const LogEntry& entry = entries[end++];
    const LogRecordHeader header{
        .number = entry.number, .durable_end = first, .time_us = entry.time_us};
    if (entry.frame.empty()) {
      AppendLogRecord(entry.message, header, frame_, bytes_);
    } else {
      AppendLogRecord(entry.frame, header, bytes_);
    }
  }
  bool was_refused = false;
  for (;;) {
    const absl::Status written = options_.store->Extend(segment_, offset_, bytes_);
    if (written.ok()) break;
    // Said once: a full disk may stay full for long.
    if (!std::exchange(was_refused, true)) {
      options_.log.Error("log_not_written",
                         {{"segment", segment_}, {"reason", std::string(written.message())}});
    }
    if (!Pause(options_.retry_after)) return at;
  }
  if (was_refused) options_.log.Info("log_written_again", {{"segment", segment_}});
  offset_ += bytes_.size();
  bytes_written_ += bytes_.size();
  return end;
}

// A segment ends where the next begins, so the last one stays. What cannot be removed now is when
// the next base is there.
void LaneLogWriter::RemoveBefore(std::uint64_t end) {
  options_.log.Info(
      "lane_base",
      {{"log", log_.prefix}, {"log_end", end}, {"log_bytes_left", bytes_since_base()}});
  segment_.clear();
  RemoveReplaced(false);
  if (options_.keeps_history) return;
  const absl::StatusOr<std::vector<std::string>> names =
      options_.store->List(absl::StrCat(log_.prefix, "/"));
  if (!names.ok()) {
    options_.log.Warning("log_not_trimmed", {{"reason", std::string(names.status().message())}});
    return;
  }
  for (const std::string& name : SuperfluousOf(*names, log_.prefix, end)) {
    const absl::Status removed = options_.store->Remove(name);
    if (removed.ok() || absl::IsNotFound(removed)) continue;
    options_.log.Warning("log_not_trimmed", {{"reason", std::string(removed.message())}});
    return;
  }
}

// What cannot be removed now is when the server starts again.
void LaneLogWriter::RemoveReplaced(bool marks) {
  for (const std::string& prefix : std::exchange(replaced_, {})) {
    absl::Status removed;
    if (marks || options_.keeps_history) {
      removed = options_.store->Write(LaneLogGone(prefix), LaneLogGoneText(absl::Now()));
    }
    if (removed.ok() && !options_.keeps_history) {
      removed = RemoveLaneLog(*options_.store, prefix);
    }
    if (removed.ok()) continue;
    options_.log.Warning("log_not_removed",
                         {{"log", prefix}, {"reason", std::string(removed.message())}});
  }
}

bool LaneLogWriter::Pause(absl::Duration duration) {
  const absl::Time until = absl::Now() + duration;
  const MutexLock lock(&mutex_);
  while (!stop_ && absl::Now() < until) changed_.WaitWithDeadline(&mutex_, until);
  return !stop_;
}

}  // namespace longtail
