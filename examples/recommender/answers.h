// What a person asks a recommender: what is there for this user, what is like this item.
#pragma once

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>

#include "absl/status/statusor.h"
#include "examples/common/report/text_table.h"
#include "examples/recommender/dataset.h"
#include "examples/recommender/factor_model.h"
#include "examples/recommender/scorer.h"

namespace longtail::examples::recommender {

/// Whether a list is made for the user or is what everybody is shown.
enum class Knowledge : std::uint8_t {
  kUser,            ///< The user has items in training.
  kUnknownUser,     ///< No file names the user.
  kNothingToLearn,  ///< The user has nothing in training.
};

/// Prints the best `count` items for the user of that id, by `scorer`, without those that the user
/// has, a `tail_share` of them rare (tail_places.h); for a user of whom nothing is known the most
/// popular ones, and says so.
///
/// Errors: those of the scorer.
absl::StatusOr<Knowledge> PrintRecommendations(const Dataset& data, const std::string& user,
                                               std::size_t count, Scorer& scorer, float tail_share,
                                               std::ostream& out, TerminalStyle style);

/// The item that `text` means: an id, a title, or a part of titles, of which the one seen most in
/// training counts. Upper and lower case are alike.
///
/// Errors: NotFound.
absl::StatusOr<std::uint32_t> FindItem(const Dataset& data, const std::string& text);

/// Prints the `count` items whose learned rows are nearest to that of `item`.
void PrintSimilar(const Dataset& data, std::uint32_t item, std::size_t count,
                  const FactorModel& model, std::ostream& out, TerminalStyle style);

}  // namespace longtail::examples::recommender
