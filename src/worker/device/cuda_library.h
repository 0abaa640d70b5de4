// Finds and loads the CUDA component (cuda/), which need not be there.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "worker/device/cuda/cuda_table.h"

namespace longtail::device {

/// Loads the component at `path`; if that is empty, the first that lies beside the program or in
/// ../lib from there, or else what the system's loader finds. It stays loaded to the program's end.
///
/// Errors: NotFound, with what was looked for and what the loader said; FailedPrecondition if it is
///         none, or of another build.
absl::StatusOr<const CudaTable*> LoadCudaLibrary(const std::string& path);

}  // namespace longtail::device
