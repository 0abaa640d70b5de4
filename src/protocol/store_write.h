// Carrying out what a core wants written.
#pragma once

#include <string>

#include "absl/functional/function_ref.h"
#include "protocol/step.h"

namespace longtail {

/// Encodes what is to be written, if it is a chunk, gives it to `write` and says what came of it.
///
/// Thread: any.
StoreAnswer CarryOutWrite(
    const StoreWrite& wanted,
    absl::FunctionRef<absl::Status(const std::string& name, const std::string& bytes)> write);

}  // namespace longtail
