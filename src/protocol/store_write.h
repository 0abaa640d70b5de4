// Carrying out what a core wants written.
#pragma once

#include <string>

#include "absl/functional/function_ref.h"
#include "protocol/snapshot_writer.h"
#include "protocol/step.h"

namespace longtail {

/// Encodes what is to be written, if it is a chunk, in `buffers`, gives it to `write` and says what
/// came of it.
///
/// Thread: any.
using WriteBlob =
    absl::FunctionRef<absl::Status(const std::string& name, const std::string& bytes)>;
StoreAnswer CarryOutWrite(const StoreWrite& wanted, SnapshotBuffers& buffers, WriteBlob write);

/// As above, in memory of its own.
StoreAnswer CarryOutWrite(const StoreWrite& wanted, WriteBlob write);

}  // namespace longtail
