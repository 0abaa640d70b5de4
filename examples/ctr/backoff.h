// Rare features learn together: until training has seen a feature often enough, its field's
// back-off row stands in for its own.
//
// A row of its own that was trained once or twice knows little and memorises a lot; the back-off
// row of its field was trained on all such features. The feature's own row exists from its first
// sighting (its count says how often that was) and takes over as it is, when the count is reached;
// nothing is cut, and a feature never seen is scored by the same back-off row.
//
// Or the own row does not wait but is added (AddBackoff): a rare feature is its field's row and
// what it differs by. What a count threshold knows, the field's row, is then always a part of what
// a rare feature says.
//
// Source: the idea is Katz's, "Estimation of probabilities from sparse data for the language model
//         component of a speech recognizer", IEEE Trans. ASSP 35 (1987): back off to the coarser
//         estimate below a count.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "examples/common/data/batch.h"

namespace longtail::examples {

/// What the own row of a rare feature does.
enum class OwnRow : std::uint8_t {
  kWaits,    ///< It is counted, and neither used nor trained.
  kIsAdded,  ///< See AddBackoff.
};

struct BackoffSpec {
  std::uint32_t below = 0;  ///< Features seen less often back off; 0: none do.
  OwnRow own = OwnRow::kWaits;

  bool operator==(const BackoffSpec&) const = default;
};

/// The key of a field's back-off row.
Key BackoffKey(std::uint32_t field);

/// Makes the keys to pull: those of the batch, then each field's back-off key.
void KeysWithBackoff(const Batch& batch, std::vector<Key>& keys);

/// Sends every key whose row has a count below `below` to its field's back-off row.
///
/// Shapes: inverse [batch.keys.size() + field_count], of the keys above; counts [unique]; `rows`
///         becomes [batch.keys.size()], the row of each key.
void UseBackoff(const Batch& batch, std::uint32_t below, std::span<const std::uint32_t> inverse,
                std::span<const std::uint32_t> counts, std::vector<std::uint32_t>& rows);

/// A rare feature of a batch, whose row was added to its field's.
struct AddedRow {
  std::uint32_t row = 0;
  std::uint32_t field_row = 0;
};

/// Those of a batch, by first occurrence: gradients are then summed in an order that is the data's,
/// while that of rows follows from how the cluster is divided.
struct AddedRows {
  std::vector<AddedRow> rows;
  std::vector<std::uint8_t> is_met;  ///< [unique], while they are looked for.
};

/// What the counts of a batch's features know of the batch.
enum class Sighting : std::uint8_t {
  kNew,    ///< Nothing yet.
  kAgain,  ///< It was counted, once.
};

/// Turns the row of each feature with a count below `below` into the sum of its field's and its
/// own; but one that no other example trained becomes its field's. In a second pass a feature seen
/// once would tell the label that it saw, and training would come to rely on that.
///
/// Shapes: inverse, counts as above; rows [unique, dim]; `added` gets one entry for each such
///         feature. A key that is in several fields goes with the first.
void AddBackoff(const Batch& batch, std::uint32_t below, Sighting sighting,
                std::span<const std::uint32_t> inverse, std::span<const std::uint32_t> counts,
                std::span<float> rows, std::size_t dim, AddedRows& added);

/// Adds the gradients of such features to those of their fields' rows.
///
/// Shapes: gradients [unique, dim].
void ShareGradients(const AddedRows& added, std::span<float> gradients, std::size_t dim);

}  // namespace longtail::examples
