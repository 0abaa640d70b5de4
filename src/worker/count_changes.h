// Changes of counts made ready to travel: checked, of equal keys summed, packed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "longtail/count_rows.h"
#include "longtail/ids.h"
#include "longtail/table_spec.h"
#include "worker/key_batch_plan.h"

namespace longtail {

/// Errors: InvalidArgument, naming the table and what of `changes` does not fit so many keys.
absl::Status CheckCountChanges(const TableSpec& spec, std::size_t keys, const CountRows& changes);

/// Appends to `packed` the changes of each key of `plan` as a sized row, and gives where those of
/// each partition end. `plan` was made of as many keys as there are rows in `changes`, which
/// CheckCountChanges has found to be right.
///
/// Errors: InvalidArgument, naming table and key, if the sum of a key's changes is beyond 64 bits.
absl::Status PackCountChanges(const TableSpec& spec, const KeyBatch::Plan& plan,
                              const CountRows& changes, std::string& packed,
                              std::vector<std::size_t>& ends);

}  // namespace longtail
