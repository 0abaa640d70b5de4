#include "io/lane_log_writer.h"

#include <pthread.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "protocol/lane_log_names.h"

namespace longtail {

void LaneLogWriter::Start(std::function<void(std::uint64_t end)> on_durable) {
  thread_ = std::thread([this, on_durable = std::move(on_durable)] { Run(on_durable); });
  pthread_setname_np(thread_.native_handle(), "lane-log");
}

void LaneLogWriter::Append(std::vector<LogEntry>& entries) {
  if (entries.empty()) return;
  const MutexLock lock(&mutex_);
  for (LogEntry& entry : entries) pending_.push_back(std::move(entry));
  entries.clear();
  changed_.Signal();
}

void LaneLogWriter::Trim(std::uint64_t end) {
  trimmed_bytes_ = base_bytes_.load();
  const MutexLock lock(&mutex_);
  trim_ = end;
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

void LaneLogWriter::Run(const std::function<void(std::uint64_t end)>& on_durable) {
  std::vector<LogEntry> entries;
  for (;;) {
    std::optional<std::uint64_t> trim;
    {
      const MutexLock lock(&mutex_);
      while (pending_.empty() && !trim_ && !stop_) changed_.Wait(&mutex_);
      if (pending_.empty() && stop_) return;
      entries.swap(pending_);
      trim.swap(trim_);
    }
    if (trim) RemoveBefore(*trim);
    for (std::size_t begin = 0; begin < entries.size();) {
      const std::size_t end = WriteSome(entries, begin);
      if (end == begin) return;
      on_durable(entries[end - 1].number + 1);
      begin = end;
    }
    entries.clear();
  }
}

std::size_t LaneLogWriter::WriteSome(const std::vector<LogEntry>& entries, std::size_t begin) {
  const std::uint64_t first = entries[begin].number;
  bytes_.clear();
  if (segment_.empty() || offset_ >= options_.segment_bytes_max) {
    segment_ = LaneLogName(options_.prefix, first);
    offset_ = 0;
    LaneLogHeader header = options_.header;
    header.first = first;
    AppendLaneLogHeader(header, bytes_);
  }
  std::size_t end = begin;
  while (end < entries.size() &&
         (end == begin || offset_ + bytes_.size() < options_.segment_bytes_max)) {
    AppendLogRecord(entries[end].message, entries[end].number, first, frame_, bytes_);
    ++end;
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
    if (!Pause(options_.retry_after)) return begin;
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
      {{"log", options_.prefix}, {"log_end", end}, {"log_bytes_left", bytes_since_base()}});
  segment_.clear();
  const absl::StatusOr<std::vector<std::string>> names =
      options_.store->List(absl::StrCat(options_.prefix, "/"));
  if (!names.ok()) {
    options_.log.Warning("log_not_trimmed", {{"reason", std::string(names.status().message())}});
    return;
  }
  for (const std::string& name : SuperfluousOf(*names, options_.prefix, end)) {
    const absl::Status removed = options_.store->Remove(name);
    if (removed.ok() || absl::IsNotFound(removed)) continue;
    options_.log.Warning("log_not_trimmed", {{"reason", std::string(removed.message())}});
    return;
  }
}

bool LaneLogWriter::Pause(absl::Duration duration) {
  const absl::Time until = absl::Now() + duration;
  const MutexLock lock(&mutex_);
  while (!stop_ && absl::Now() < until) changed_.WaitWithDeadline(&mutex_, until);
  return !stop_;
}

}  // namespace longtail
