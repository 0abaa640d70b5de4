#include "examples/online/fm_model.h"

#include <algorithm>

#include "examples/common/data/feature_key.h"

namespace longtail::examples {

TableSpec FmTable(const FmOptions& options) {
  return {.name = kFeatureTable,
          .dim = 1 + options.factors,
          .optimizer = {.rule = AdagradSpec{.learning_rate = options.learning_rate},
                        .weight_decay = options.weight_decay},
          .initializer = NormalSpec{.stddev = options.initial_deviation},
          .seed = 1,
          .linear_columns = 1};
}

Key FeatureKeyOf(std::string_view feature) {
  return FeatureKey(0, feature);
}

void AppendKeys(const std::vector<std::string>& features, std::vector<Key>& keys) {
  const std::size_t begin = keys.size();
  for (const std::string& feature : features) {
    const Key key = FeatureKeyOf(feature);
    const auto mine = std::span(keys).subspan(begin);
    if (std::ranges::find(mine, key) == mine.end()) keys.push_back(key);
  }
  keys.push_back(FeatureKeyOf(""));
}

double FmLogit(std::span<const float* const> rows, std::uint32_t dim) {
  double logit = 0;
  for (const float* const row : rows) logit += row[0];
  for (std::uint32_t f = 1; f < dim; ++f) {
    double sum = 0;
    double squares = 0;
    for (const float* const row : rows) {
      const double v = row[f];
      sum += v;
      squares += v * v;
    }
    logit += (sum * sum - squares) / 2;
  }
  return logit;
}

void AddFmGradient(std::span<const float* const> rows, std::uint32_t dim, double error,
                   std::span<float* const> gradients) {
  for (float* const gradient : gradients) gradient[0] += static_cast<float>(error);
  for (std::uint32_t f = 1; f < dim; ++f) {
    double sum = 0;
    for (const float* const row : rows) sum += row[f];
    for (std::size_t i = 0; i < rows.size(); ++i) {
      gradients[i][f] += static_cast<float>(error * (sum - rows[i][f]));
    }
  }
}

}  // namespace longtail::examples
