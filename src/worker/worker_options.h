// Whether a worker may have the options that it was given.
#pragma once

#include "absl/status/status.h"
#include "longtail/step_mode.h"
#include "longtail/worker.h"

namespace longtail {

/// Errors: InvalidArgument, naming the option, its value and what was wanted in this mode.
absl::Status Validate(const WorkerOptions& options, StepMode step_mode);

/// The same of one that only pulls: it has no steps, by which rows that are kept would go out.
absl::Status ValidateReader(const WorkerOptions& options);

}  // namespace longtail
