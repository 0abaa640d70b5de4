// Divides interactions into what a model learns from, what it is tuned on and what it is tested on.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "examples/recommender/interaction_file.h"

namespace longtail::examples::recommender {

enum class SplitRule : std::uint8_t {
  kFiles,        ///< Training and test are files of their own; nothing is divided.
  kLeaveOneOut,  ///< Of each user with three or more: the last is test, the one before validation.
  kTime,         ///< By time over all users: the first are training, then validation, then test.
  kFold,         ///< The `fold`th of `folds` equal runs of lines is test, the rest training.
};

struct SplitSpec {
  SplitRule rule = SplitRule::kFiles;
  double validation_fraction = 0;  ///< Of kTime.
  double test_fraction = 0.1;      ///< Of kTime.
  std::uint32_t fold = 1;          ///< Of kFold, from 1.
  std::uint32_t folds = 5;
};

struct SplitInteractions {
  std::vector<Interaction> train;
  std::vector<Interaction> validation;
  std::vector<Interaction> test;
};

/// Divides them; by no chance. Equal times keep the order of the file. kLeaveOneOut and kTime order
/// training by time, kFold keeps the file's order.
///
/// Errors: InvalidArgument (fractions, fold), naming value and what was wanted.
absl::StatusOr<SplitInteractions> Split(const SplitSpec& spec, std::uint32_t user_count,
                                        std::vector<Interaction> interactions);

}  // namespace longtail::examples::recommender
