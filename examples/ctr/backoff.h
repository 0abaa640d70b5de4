// Rare features learn together: until training has seen a feature often enough, its field's
// back-off row stands in for its own.
//
// A row of its own that was trained once or twice knows little and memorises a lot; the back-off
// row of its field was trained on all such features. The feature's own row exists from its first
// sighting (its count says how often that was) and takes over as it is, when the count is reached;
// nothing is cut, and a feature never seen is scored by the same back-off row.
//
// Source: the idea is Katz's, "Estimation of probabilities from sparse data for the language model
//         component of a speech recognizer", IEEE Trans. ASSP 35 (1987): back off to the coarser
//         estimate below a count.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "examples/common/data/batch.h"

namespace longtail::examples {

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

}  // namespace longtail::examples
