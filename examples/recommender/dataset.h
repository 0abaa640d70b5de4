// A data set as trainers, baselines and the evaluation see it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "examples/recommender/interaction_file.h"
#include "examples/recommender/item_lists.h"
#include "examples/recommender/split.h"

namespace longtail::examples::recommender {

struct DataConfig {
  std::string directory;  ///< Where relative file names begin.
  std::string train;      ///< A file; it has everything unless the split is "files".
  std::string test;       ///< Of the split "files" alone.
  FileFormat format;
  float min_rating = 0;  ///< Interactions with a lower rating are left out before the split.
  SplitSpec split;
  TitleFile titles;
};

struct Dataset {
  Names names;
  std::vector<Interaction> train;
  std::vector<Interaction> validation;  ///< Perhaps empty.
  std::vector<Interaction> test;
  ItemLists train_items;
  ItemLists validation_items;
  ItemLists test_items;
  std::vector<std::uint32_t> item_counts;  ///< [items] interactions in training.
  float mean_rating = 0;                   ///< Of training.
  float lowest_rating = 0;
  float highest_rating = 0;
  std::vector<Title> titles;  ///< [items], or empty.

  std::uint32_t user_count() const { return names.users.size(); }
  std::uint32_t item_count() const { return names.items.size(); }

  /// What to call an item: its title, or its id.
  std::string TextOfItem(std::uint32_t item) const;
};

enum class EvaluatedPart : std::uint8_t { kValidation, kTest };

/// What a user is known to like when their list is made: training, and for the test what lies
/// before it in validation.
std::vector<std::uint32_t> KnownItems(const Dataset& data, EvaluatedPart part, std::uint32_t user);

/// Reads and divides a data set.
///
/// Errors: as ReadInteractions and Split; InvalidArgument if nothing is left to train on.
absl::StatusOr<Dataset> LoadDataset(const DataConfig& config, OnBadLine on_bad_line);

}  // namespace longtail::examples::recommender
