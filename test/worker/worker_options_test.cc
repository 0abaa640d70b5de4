// Options of a worker that are refused.
#include "worker/worker_options.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <cstddef>
#include <string>

#include "base/limits.h"

namespace longtail {
namespace {

TEST_CASE("options that a worker cannot have are refused by name", "[worker][worker_options]") {
  struct Case {
    WorkerOptions options;
    StepMode mode;
    std::string message;
  };
  const Case bad = GENERATE(values<Case>({
      {{.timeout = std::chrono::milliseconds(0)},
       StepMode::kAsynchronous,
       "timeout and retry_after of a worker: want more than 0"},
      {{.retry_after = std::chrono::milliseconds(-1)},
       StepMode::kAsynchronous,
       "timeout and retry_after of a worker: want more than 0"},
      {{.row_cache_bytes = kRowCacheBytesMin - 1},
       StepMode::kAsynchronous,
       "row_cache_bytes 65535: want 0, or 65536..17179869184"},
      {{.row_cache_bytes = kRowCacheBytesMax + 1},
       StepMode::kAsynchronous,
       "row_cache_bytes 17179869185: want 0, or 65536..17179869184"},
      {{.row_cache_steps = 4},
       StepMode::kAsynchronous,
       "row_cache_steps 4: want 0 without a cache (row_cache_bytes 0)"},
      {{.row_cache_bytes = kRowCacheBytesMin, .row_cache_steps = 1'000'001},
       StepMode::kBoundedStaleness,
       "row_cache_steps 1000001: want 0..1000000"},
      {{.row_cache_bytes = kRowCacheBytesMin, .row_cache_steps = 1},
       StepMode::kSynchronous,
       "row_cache_steps 1: want 0 in synchronous mode, where a pull gives the rows that its step "
       "has"},
  }));

  const absl::Status status = Validate(bad.options, bad.mode);

  CHECK(absl::IsInvalidArgument(status));
  CHECK(std::string(status.message()) == bad.message);
}

TEST_CASE("options that a worker can have are taken", "[worker][worker_options]") {
  CHECK(Validate({}, StepMode::kSynchronous).ok());
  CHECK(Validate({.row_cache_bytes = kRowCacheBytesMin}, StepMode::kSynchronous).ok());
  CHECK(Validate({.row_cache_bytes = kRowCacheBytesMax, .row_cache_steps = 1'000'000},
                 StepMode::kAsynchronous)
            .ok());
  CHECK(Validate({.row_cache_bytes = kRowCacheBytesMin, .row_cache_steps = 1},
                 StepMode::kBoundedStaleness)
            .ok());
}

TEST_CASE("a reader keeps no rows", "[worker][worker_options]") {
  CHECK(ValidateReader({}).ok());
  const absl::Status status = ValidateReader({.row_cache_bytes = kRowCacheBytesMin});
  CHECK(absl::IsInvalidArgument(status));
  CHECK(std::string(status.message()) ==
        "row_cache_bytes 65536: want 0 of a reader, which has no steps");
  CHECK(absl::IsInvalidArgument(ValidateReader({.timeout = std::chrono::milliseconds(0)})));
}

}  // namespace
}  // namespace longtail
