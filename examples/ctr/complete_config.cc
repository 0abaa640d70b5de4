#include "examples/ctr/complete_config.h"

#include <chrono>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace longtail::examples {
namespace {

constexpr const char* kTableName = "features";
// A worker may wait for others to evaluate or to save.
constexpr std::chrono::minutes kCallTimeout{10};

}  // namespace

absl::StatusOr<TrainConfig> CompleteConfig(const TrainConfig& config, const FeatureLayout& layout) {
  if (config.batch % config.workers != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "batch ", config.batch, ": wanted a multiple of ", config.workers, " workers"));
  }
  TrainConfig full = config;
  full.model.field_count = layout.field_count();
  full.model.numeric_count = layout.numeric_count();
  full.model.batch_max = config.batch / config.workers;
  LONGTAIL_RETURN_IF_ERROR(Validate(full.model));
  full.table.name = kTableName;
  full.table.dim = RowDim(full.model);
  full.table.seed = config.seed;
  full.table.linear_columns = HasLinear(full.model) ? 1 : 0;
  return full;
}

WorkerOptions WorkerOptionsOf(const TrainConfig& config, std::uint32_t rank) {
  return {.timeout = kCallTimeout,
          .rank = rank,
          .row_cache_bytes = std::size_t{config.row_cache_mib} << 20,
          .row_cache_steps = config.row_cache_steps,
          .wire_gradients = config.wire_gradients,
          .wire_rows = config.wire_rows,
          .wire_names_key_lists = config.name_key_lists};
}

GradientScales GradientScalesOf(const TrainConfig& config, std::size_t size) {
  const float share = 1 / static_cast<float>(size);
  if (config.sparse_gradient == SparseGradient::kMean) return {.examples = share, .dense = 1};
  return {.examples = 1, .dense = share};
}

}  // namespace longtail::examples
