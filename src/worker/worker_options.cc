#include "worker/worker_options.h"

#include "absl/strings/str_cat.h"
#include "base/limits.h"

namespace longtail {

absl::Status Validate(const WorkerOptions& options, StepMode step_mode) {
  if (options.timeout.count() <= 0 || options.retry_after.count() <= 0) {
    return absl::InvalidArgumentError("timeout and retry_after of a worker: want more than 0");
  }
  const std::size_t bytes = options.row_cache_bytes;
  if (bytes != 0 && (bytes < kRowCacheBytesMin || bytes > kRowCacheBytesMax)) {
    return absl::InvalidArgumentError(absl::StrCat("row_cache_bytes ", bytes, ": want 0, or ",
                                                   kRowCacheBytesMin, "..", kRowCacheBytesMax));
  }
  const std::uint32_t steps = options.row_cache_steps;
  if (steps == 0) return absl::OkStatus();
  if (bytes == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("row_cache_steps ", steps, ": want 0 without a cache (row_cache_bytes 0)"));
  }
  if (steps > kStalenessMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("row_cache_steps ", steps, ": want 0..", kStalenessMax));
  }
  if (step_mode == StepMode::kSynchronous) {
    return absl::InvalidArgumentError(absl::StrCat(
        "row_cache_steps ", steps,
        ": want 0 in synchronous mode, where a pull gives the rows that its step has"));
  }
  return absl::OkStatus();
}

absl::Status ValidateReader(const WorkerOptions& options) {
  if (options.row_cache_bytes != 0) {
    return absl::InvalidArgumentError(absl::StrCat("row_cache_bytes ", options.row_cache_bytes,
                                                   ": want 0 of a reader, which has no steps"));
  }
  return Validate(options, StepMode::kAsynchronous);
}

}  // namespace longtail
