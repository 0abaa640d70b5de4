#include <bit>
#include <memory>
#include <string>
#include <vector>

#include "worker/device/selfcheck/check_shapes.h"
#include "worker/device/selfcheck/device_check.h"

namespace longtail::device {
namespace {

Launch PrepareSort(Trial& trial, std::uint32_t examples) {
  const std::uint32_t count = examples * kCheckFields;
  std::vector<std::uint64_t> keys(count);
  for (std::uint64_t& key : keys) key = Mix64(trial.rng().Below(count / 2 + 1));
  const SortPairs call{.keys = trial.Array("keys", keys),
                       .values = trial.Words("values", count, count),
                       .sorted_keys = trial.Array("sorted keys", std::vector<std::uint64_t>(count)),
                       .sorted_values = trial.Words("sorted values", count, 1),
                       .count = count};
  return {.enqueue = [=](Stream& stream) { stream.Sort(call); }, .work = {.bytes = 24.0 * count}};
}

Launch PrepareRuns(Trial& trial, std::uint32_t examples) {
  const std::uint32_t count = examples * kCheckFields;
  std::vector<std::uint64_t> keys;
  for (std::uint64_t key = 5; keys.size() < count; ++key) {
    for (std::uint64_t i = 0; i <= trial.rng().Below(6) && keys.size() < count; ++i) {
      keys.push_back(key);
    }
  }
  const RunLengths call{.keys = trial.Array("keys", keys),
                        .unique = trial.Array("unique", std::vector<std::uint64_t>(count)),
                        .lengths = trial.Words("lengths", count, 1),
                        .run_count = trial.Words("run count", 1, 1),
                        .count = count};
  return {.enqueue =
              [=](Stream& stream) {
                // What is behind the runs is anybody's on some devices.
                stream.Fill(call.unique, 0, count * sizeof(std::uint64_t));
                stream.FindRuns(call);
              },
          .work = {.bytes = 20.0 * count}};
}

Launch PrepareSum(Trial& trial, std::uint32_t examples) {
  const std::uint32_t count = examples * kCheckFields;
  const ExclusiveSum call{.values = trial.Words("values", count, 7),
                          .sums = trial.Words("sums", count, 1),
                          .count = count};
  return {.enqueue = [=](Stream& stream) { stream.Sum(call); }, .work = {.bytes = 8.0 * count}};
}

Launch PreparePick(Trial& trial, std::uint32_t examples) {
  const std::uint32_t count = examples * kCheckFields;
  const Select call{.flags = trial.Words("flags", count, 2),
                    .places = trial.Words("places", count, 1),
                    .place_count = trial.Words("place count", 1, 1),
                    .count = count};
  return {.enqueue = [=](Stream& stream) { stream.Pick(call); }, .work = {.bytes = 6.0 * count}};
}

// All ways to transpose, with factors of both kinds, matrices that are parts of wider ones.
Launch PrepareProducts(Trial& trial, std::uint32_t examples) {
  constexpr std::int32_t kColumns = 20;
  constexpr std::int32_t kInner = 33;
  const auto rows = static_cast<std::int32_t>(examples);
  std::vector<Gemm> calls;
  for (const bool transpose_a : {false, true}) {
    for (const bool transpose_b : {false, true}) {
      const std::int32_t a_stride = (transpose_a ? rows : kInner) + 3;
      const std::int32_t b_stride = (transpose_b ? kInner : kColumns) + 1;
      const std::int32_t a_rows = transpose_a ? kInner : rows;
      const std::int32_t b_rows = transpose_b ? kColumns : kInner;
      calls.push_back({.transpose_a = transpose_a,
                       .transpose_b = transpose_b,
                       .rows = rows,
                       .columns = kColumns,
                       .inner = kInner,
                       .a = trial.Floats("a", static_cast<std::size_t>(a_rows * a_stride)),
                       .a_stride = a_stride,
                       .b = trial.Floats("b", static_cast<std::size_t>(b_rows * b_stride)),
                       .b_stride = b_stride,
                       .c = trial.Floats("c", static_cast<std::size_t>(rows * (kColumns + 2))),
                       .c_stride = kColumns + 2,
                       .alpha = transpose_a ? 0.5F : 1,
                       .beta = transpose_b ? 1.0F : 0});
    }
  }
  const double n = examples;
  return {.enqueue =
              [calls](Stream& stream) {
                for (const Gemm& call : calls) stream.Multiply(call);
              },
          .work = {.bytes = 16 * n * (kInner + kColumns), .flops = 8 * n * kInner * kColumns}};
}

// Two streams take turns, each when the other is done; the one that does not wait is far ahead.
Launch PrepareEvents(Trial& trial, std::uint32_t examples) {
  constexpr std::uint32_t kTurns = 20;
  struct Pair {
    std::unique_ptr<Stream> other;
    std::unique_ptr<Event> there;
    std::unique_ptr<Event> back;
  };
  const auto pair = std::make_shared<Pair>();
  auto stream = trial.device().MakeStream({.name = "the other"});
  auto there = trial.device().MakeEvent("there");
  auto back = trial.device().MakeEvent("back");
  trial.Keep(stream.status());
  trial.Keep(there.status());
  trial.Keep(back.status());
  const std::uint32_t count = examples * kCheckDim;
  float* const x = trial.Floats("x", count, 0.5F, 1);
  float* const y = trial.Zeros("y", count);
  if (!trial.status().ok()) return {};
  *pair = {*std::move(stream), *std::move(there), *std::move(back)};
  return {.enqueue =
              [=](Stream& here) {
                for (std::uint32_t turn = 0; turn < kTurns; ++turn) {
                  here.Launch(AddCall{.x = x, .y = y, .count = count});
                  here.Record(*pair->there);
                  pair->other->Wait(*pair->there);
                  pair->other->Copy(x, y, count * sizeof(float));
                  pair->other->Record(*pair->back);
                  here.Wait(*pair->back);
                }
              },
          .work = {.bytes = 20.0 * kTurns * count}};
}

}  // namespace

void AddPrimitiveChecks(std::vector<DeviceCheck>& checks) {
  checks.push_back({.name = "sort pairs", .prepare = PrepareSort});
  checks.push_back({.name = "run lengths", .prepare = PrepareRuns});
  checks.push_back({.name = "exclusive sum", .prepare = PrepareSum});
  checks.push_back({.name = "select", .prepare = PreparePick});
  // 33 products of numbers up to 2, in any order.
  checks.push_back({.name = "matrix products", .prepare = PrepareProducts, .tolerance = 2e-4});
  checks.push_back(
      {.name = "streams and events", .prepare = PrepareEvents, .is_recordable = false});
}

std::vector<DeviceCheck> AllDeviceChecks() {
  std::vector<DeviceCheck> checks;
  AddPrimitiveChecks(checks);
  AddSparseChecks(checks);
  AddModelChecks(checks);
  AddDenseChecks(checks);
  AddCacheChecks(checks);
  return checks;
}

std::uint32_t CheckItemsMax(std::uint32_t examples) {
  return examples * kCheckFields * 3;
}

}  // namespace longtail::device
