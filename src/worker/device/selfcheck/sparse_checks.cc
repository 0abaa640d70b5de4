#include <algorithm>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "worker/device/distinct_keys.h"
#include "worker/device/gradient_sums.h"
#include "worker/device/key_segments.h"
#include "worker/device/selfcheck/check_shapes.h"
#include "worker/device/selfcheck/device_check.h"

namespace longtail::device {
namespace {

// Segments of more keys than this are summed in parts.
constexpr std::uint32_t kLongAbove = 40;

// A batch of bags of no to three keys with values, a quarter of all keys alike.
struct Bagged {
  Bags bags{};
  std::uint32_t keys = 0;
  std::uint32_t unique = 0;
  const std::uint32_t* inverse = nullptr;
  const std::uint32_t* positions = nullptr;
  const std::uint32_t* begins = nullptr;
  const std::uint32_t* unique_count = nullptr;
};

enum class BagKind { kSingle, kWeighted };

Bagged MakeBagged(Trial& trial, std::uint32_t examples, BagKind kind) {
  Bagged batch;
  batch.bags = {.examples = examples, .fields = kCheckFields};
  const std::uint32_t bag_count = examples * kCheckFields;
  std::vector<std::uint32_t> offsets{0};
  for (std::uint32_t bag = 0; bag < bag_count; ++bag) {
    const auto keys = kind == BagKind::kSingle ? 1 : trial.rng().Below(4);
    offsets.push_back(offsets.back() + static_cast<std::uint32_t>(keys));
  }
  batch.keys = offsets.back();
  const std::uint32_t most = batch.keys / 3 + 1;
  std::vector<std::uint32_t> inverse(batch.keys);
  for (std::uint32_t& key : inverse) {
    key = trial.rng().Below(4) == 0 ? 0 : static_cast<std::uint32_t>(trial.rng().Below(most));
  }
  // Rows that no key has are left out, so that each segment has a key.
  std::vector<std::uint32_t> number(most, 0);
  for (const std::uint32_t key : inverse) number[key] = 1;
  for (std::uint32_t& n : number) n = n == 0 ? 0 : batch.unique++;
  for (std::uint32_t& key : inverse) key = number[key];
  std::vector<std::uint32_t> begins(batch.unique + 1), positions(batch.keys);
  FindSegments(inverse, begins, positions);
  batch.inverse = trial.Array("inverse", inverse);
  batch.positions = trial.Array("positions", positions);
  batch.begins = trial.Array("begins", begins);
  batch.unique_count = trial.Array("unique count", std::vector<std::uint32_t>{batch.unique});
  if (kind == BagKind::kSingle) return batch;
  batch.bags.offsets = trial.Array("offsets", offsets);
  batch.bags.values = trial.Floats("values", batch.keys, 0.5F, 2);
  return batch;
}

Launch PrepareDistinct(Trial& trial, std::uint32_t examples) {
  const std::uint32_t count = examples * kCheckFields;
  std::vector<std::uint64_t> keys(count);
  for (std::uint64_t& key : keys) key = Mix64(trial.rng().Below(count / 2 + 1));
  const auto unique =
      static_cast<std::uint32_t>(std::set<std::uint64_t>(keys.begin(), keys.end()).size());
  auto made = DistinctKeys::Make(trial.device(), count);
  trial.Keep(made.status());
  const std::uint64_t* const of = trial.Array("keys", keys);
  auto* const found = trial.Array("unique keys", std::vector<std::uint64_t>(unique));
  std::uint32_t* const begins = trial.Words("begins", unique + 1, 1);
  std::uint32_t* const positions = trial.Words("positions", count, 1);
  std::uint32_t* const inverse = trial.Words("inverse", count, 1);
  std::uint32_t* const unique_count = trial.Words("unique count", 1, 1);
  if (!trial.status().ok()) return {};
  const auto distinct = std::make_shared<DistinctKeys>(*std::move(made));
  return {.enqueue =
              [=](Stream& stream) {
                constexpr std::size_t kWord = sizeof(std::uint32_t);
                distinct->Find(stream, of, count);
                stream.Copy(found, distinct->keys(), unique * sizeof(std::uint64_t));
                stream.Copy(begins, distinct->begins(), (unique + 1) * kWord);
                stream.Copy(positions, distinct->positions(), count * kWord);
                stream.Copy(inverse, distinct->inverse(), count * kWord);
                stream.Copy(unique_count, distinct->unique_count(), kWord);
              },
          .work = {.bytes = 100.0 * count}};
}

template <BagKind kKind>
Launch PreparePool(Trial& trial, std::uint32_t examples) {
  const Bagged batch = MakeBagged(trial, examples, kKind);
  const float* const rows = trial.Floats("rows", std::size_t{batch.unique} * kCheckDim);
  const PoolCall call{.rows = rows,
                      .inverse = batch.inverse,
                      .bags = batch.bags,
                      .pooled = trial.Zeros("pooled", std::size_t{examples} * kCheckColumns),
                      .row_stride = kCheckDim,
                      .pooled_stride = kCheckColumns,
                      .dim = kCheckDim,
                      .pooling = Pooling::kMean};
  const double floats = static_cast<double>(batch.keys) * kCheckDim;
  return {.enqueue = [=](Stream& stream) { stream.Launch(call); },
          .work = {.bytes = 4 * floats + 4.0 * examples * kCheckColumns + 4.0 * batch.keys,
                   .flops = kKind == BagKind::kSingle ? 0 : 2 * floats}};
}

Launch PrepareLinear(Trial& trial, std::uint32_t examples) {
  const Bagged batch = MakeBagged(trial, examples, BagKind::kWeighted);
  const PoolLinearCall call{.rows = trial.Floats("rows", std::size_t{batch.unique} * kCheckRowDim),
                            .inverse = batch.inverse,
                            .bags = batch.bags,
                            .linear = trial.Floats("linear", examples),
                            .row_stride = kCheckRowDim};
  return {.enqueue = [=](Stream& stream) { stream.Launch(call); },
          .work = {.bytes = 12.0 * batch.keys, .flops = 2.0 * batch.keys}};
}

Launch PrepareGradientSums(Trial& trial, std::uint32_t examples) {
  const Bagged batch = MakeBagged(trial, examples, BagKind::kWeighted);
  auto made = GradientSums::Make(
      trial.device(), {.unique_max = std::max(batch.unique, 1U), .long_above = kLongAbove});
  trial.Keep(made.status());
  std::uint32_t* const bags_of = trial.Words("bags of keys", batch.keys, 1);
  const SegmentSumCall call{
      .gradients = trial.Floats("gradients", std::size_t{examples} * kCheckColumns),
      .bags = batch.bags,
      .bags_of = bags_of,
      .positions = batch.positions,
      .begins = batch.begins,
      .unique_count = batch.unique_count,
      .sums = trial.Zeros("sums", std::size_t{batch.unique} * kCheckDim),
      .unique_max = batch.unique,
      .stride = kCheckColumns,
      .field_stride = kCheckDim,
      .sum_stride = kCheckDim,
      .dim = kCheckDim,
      .pooling = Pooling::kMean};
  if (!trial.status().ok()) return {};
  const auto sums = std::make_shared<GradientSums>(*std::move(made));
  const double floats = static_cast<double>(batch.keys) * kCheckDim;
  return {.enqueue =
              [=](Stream& stream) {
                stream.Launch(BagsOfKeysCall{.bags = batch.bags, .bags_of = bags_of});
                sums->Sum(stream, call, batch.keys);
              },
          .work = {.bytes = 4 * floats + 4.0 * batch.unique * kCheckDim + 16.0 * batch.keys,
                   .flops = 2 * floats}};
}

}  // namespace

void AddSparseChecks(std::vector<DeviceCheck>& checks) {
  checks.push_back({.name = "distinct keys", .prepare = PrepareDistinct});
  checks.push_back({.name = "pool, one key a field", .prepare = PreparePool<BagKind::kSingle>});
  checks.push_back({.name = "pool, bags with values", .prepare = PreparePool<BagKind::kWeighted>});
  checks.push_back({.name = "pool linear weights", .prepare = PrepareLinear});
  checks.push_back({.name = "sums of gradients", .prepare = PrepareGradientSums});
}

}  // namespace longtail::device
