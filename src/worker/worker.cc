#include "longtail/worker.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace longtail {
namespace {

absl::Status CheckFloats(const TableSpec& spec, std::size_t keys, std::size_t floats) {
  if (spec.kind != TableKind::kWeights) {
    return absl::InvalidArgumentError(
        absl::StrCat("table '", spec.name,
                     "' is one of counts: want one of weights, or PullCounts and PushCounts"));
  }
  if (floats == keys * spec.dim) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "table '", spec.name, "': ", floats, " floats for ", keys, " keys: want ", keys * spec.dim));
}

}  // namespace

absl::Status Worker::Pull(std::span<const PullItem> items, const CallOptions& options) {
  return PullAsync(items, options).Wait();
}

absl::Status Worker::Push(std::span<const PushItem> items, const CallOptions& options) {
  return PushAsync(items, options).Wait();
}

absl::Status Worker::PullCounts(TableId table, std::span<const Key> keys, CountRows* rows,
                                const CallOptions& options) {
  return PullCountsAsync(table, keys, rows, options).Wait();
}

absl::Status Worker::PushCounts(TableId table, std::span<const Key> keys, const CountRows& changes,
                                const CallOptions& options) {
  return PushCountsAsync(table, keys, changes, options).Wait();
}

absl::Status Worker::EndStep(const CallOptions& options) {
  return EndStepAsync(options).Wait();
}

absl::Status Worker::Pull(TableId table, std::span<const Key> keys, std::span<float> rows,
                          const CallOptions& options) {
  LONGTAIL_ASSIGN_OR_RETURN(const TableSpec spec, Table(table));
  LONGTAIL_RETURN_IF_ERROR(CheckFloats(spec, keys.size(), rows.size()));
  KeyBatch batch;
  LONGTAIL_RETURN_IF_ERROR(Prepare(table, keys, batch));
  std::vector<float> unique(batch.unique_size() * spec.dim);
  const PullItem item{.keys = &batch, .rows = unique};
  LONGTAIL_RETURN_IF_ERROR(Pull(std::span(&item, 1), options));
  for (std::size_t i = 0; i < keys.size(); ++i) {
    std::memcpy(rows.data() + i * spec.dim,
                unique.data() + std::size_t{batch.inverse()[i]} * spec.dim,
                spec.dim * sizeof(float));
  }
  return absl::OkStatus();
}

absl::Status Worker::Push(TableId table, std::span<const Key> keys,
                          std::span<const float> gradients, const CallOptions& options) {
  LONGTAIL_ASSIGN_OR_RETURN(const TableSpec spec, Table(table));
  LONGTAIL_RETURN_IF_ERROR(CheckFloats(spec, keys.size(), gradients.size()));
  KeyBatch batch;
  LONGTAIL_RETURN_IF_ERROR(Prepare(table, keys, batch));
  std::vector<float> sums(batch.unique_size() * spec.dim, 0.0F);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    float* const sum = sums.data() + std::size_t{batch.inverse()[i]} * spec.dim;
    const float* const gradient = gradients.data() + i * spec.dim;
    for (std::size_t c = 0; c < spec.dim; ++c) sum[c] += gradient[c];
  }
  const PushItem item{.keys = &batch, .gradients = sums};
  return Push(std::span(&item, 1), options);
}

}  // namespace longtail
