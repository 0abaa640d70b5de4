// A factorization machine over features of any number: the model of the online loop. All of it is
// in one table, so what serves it needs rows and nothing else.
//
// logit = sum over features of w_i + sum over pairs of <v_i, v_j>, among the features one that
// every example has, the bias.
//
// Source: Rendle, "Factorization Machines", ICDM 2010, equations (1) and (5).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "longtail/ids.h"
#include "longtail/table_spec.h"

namespace longtail::examples {

inline constexpr const char* kFeatureTable = "features";

struct FmOptions {
  std::uint32_t factors = 8;  ///< Width of v.
  float learning_rate = 0.05F;
  float weight_decay = 0;
  float initial_deviation = 0.01F;  ///< Of v; w begins at 0.
};

/// Rows of w and v, with Adagrad.
TableSpec FmTable(const FmOptions& options);

/// The key of a feature; that of the bias is the empty feature's.
Key FeatureKeyOf(std::string_view feature);

/// The keys of an example's features in order, then the bias; a feature that is there twice counts
/// once.
void AppendKeys(const std::vector<std::string>& features, std::vector<Key>& keys);

/// `rows`: of one example, each of `dim` floats.
double FmLogit(std::span<const float* const> rows, std::uint32_t dim);

/// Adds, to the gradients of an example's rows, those of the log loss, of which `error` is the
/// derivative by the logit: probability - label.
void AddFmGradient(std::span<const float* const> rows, std::uint32_t dim, double error,
                   std::span<float* const> gradients);

}  // namespace longtail::examples
