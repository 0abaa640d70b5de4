// What differs between two checkpoints, table by table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "io/blob_store.h"
#include "longtail/ids.h"
#include "protocol/manifest.h"

namespace longtail::checkpoint {

struct ChangedRow {
  Key key = 0;
  double difference = 0;  ///< The largest of its weights; infinite if one of them is not finite.

  bool operator==(const ChangedRow&) const = default;
};

struct TableDifference {
  std::string name;
  bool is_in_first = false;
  bool is_in_second = false;
  bool has_equal_specs = true;
  std::uint64_t added = 0;    ///< Rows that only the second has.
  std::uint64_t removed = 0;  ///< Rows that only the first has.
  std::uint64_t changed = 0;  ///< Count, last step, a weight or optimizer state has other bits.
  std::uint64_t equal = 0;    ///< To the bit.
  /// The largest absolute differences over all changed rows whose widths are equal.
  double weights_max = 0;
  double state_max = 0;
  std::vector<Key> added_keys{};           ///< The first ones, by partition and key.
  std::vector<Key> removed_keys{};         ///< The same.
  std::vector<ChangedRow> changed_rows{};  ///< Those that differ most, largest first.

  bool is_equal() const {
    return is_in_first && is_in_second && has_equal_specs && added + removed + changed == 0;
  }
};

struct CheckpointDifference {
  std::vector<TableDifference> tables;  ///< The first's, then what only the second has.
  std::vector<std::string> trainer;     ///< Names of the trainer's entries that differ.

  bool is_equal() const;
};

/// Compares rows by key, whatever the partitions of either checkpoint; names at most `keys_max`
/// keys of each kind.
///
/// Errors: as CheckpointRows.
/// Cost:   memory of the rows of one partition of both: of the one that has fewer partitions.
absl::StatusOr<CheckpointDifference> Compare(BlobStore& store, const Manifest& first,
                                             const Manifest& second, std::size_t keys_max);

}  // namespace longtail::checkpoint
