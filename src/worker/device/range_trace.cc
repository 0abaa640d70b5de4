#include "worker/device/range_trace.h"

#include <algorithm>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "base/check.h"

namespace longtail::device {

RangeTrace::Thread& RangeTrace::ThisThread() {
  const std::thread::id id = std::this_thread::get_id();
  const auto there = std::ranges::find(threads_, id, &Thread::id);
  if (there != threads_.end()) return *there;
  return threads_.emplace_back(Thread{.id = id, .open = {}});
}

void RangeTrace::Begin(const char* name) {
  MutexLock lock(&mutex_);
  ThisThread().open.push_back({.name = name, .begin_ns = absl::GetCurrentTimeNanos()});
}

void RangeTrace::End() {
  const std::int64_t end = absl::GetCurrentTimeNanos();
  MutexLock lock(&mutex_);
  Thread& thread = ThisThread();
  LONGTAIL_CHECK(!thread.open.empty());
  const Open open = thread.open.back();
  thread.open.pop_back();
  if (ranges_.size() == ranges_max_) {
    ++left_out_;
    return;
  }
  ranges_.push_back({.name = open.name,
                     .thread = static_cast<std::uint32_t>(&thread - threads_.data()),
                     .depth = static_cast<std::uint32_t>(thread.open.size()),
                     .begin_ns = open.begin_ns,
                     .end_ns = end});
}

std::vector<TracedRange> RangeTrace::ranges() const {
  MutexLock lock(&mutex_);
  return ranges_;
}

std::uint64_t RangeTrace::left_out() const {
  MutexLock lock(&mutex_);
  return left_out_;
}

absl::Status RangeTrace::Write(const std::string& path) const {
  const std::vector<TracedRange> all = ranges();
  std::int64_t first = 0;
  if (!all.empty()) first = std::ranges::min(all, {}, &TracedRange::begin_ns).begin_ns;
  std::ofstream file(path);
  file << "{\"traceEvents\":[";
  const char* before = "\n";
  for (const TracedRange& range : all) {  // Microseconds; names are our own and need no escapes.
    file << before
         << absl::StrFormat(R"({"name":"%s","ph":"X","pid":1,"tid":%d,"ts":%.3f,"dur":%.3f})",
                            range.name, range.thread,
                            static_cast<double>(range.begin_ns - first) / 1e3,
                            static_cast<double>(range.end_ns - range.begin_ns) / 1e3);
    before = ",\n";
  }
  file << "\n],\"otherData\":{\"left_out\":\"" << left_out() << "\"}}\n";
  file.close();
  if (file.good()) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("trace '", path, "': it cannot be written"));
}

}  // namespace longtail::device
