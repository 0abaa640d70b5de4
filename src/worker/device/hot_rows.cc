#include "worker/device/hot_rows.h"

#include <bit>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status_macros.h"
#include "worker/device/layout.h"

namespace longtail::device {
namespace {

// Place numbers are 32 bits, and one means none.
constexpr std::uint32_t kCachedRowsMax = 1U << 31;

absl::Status CheckRange(const char* field, std::uint32_t value, std::uint32_t max) {
  if (value >= 1 && value <= max) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("hot rows: ", field, " ", value, ": want 1..", max));
}

}  // namespace

absl::StatusOr<HotRows> HotRows::Make(Device& device, Stream& stream, const Options& options) {
  LONGTAIL_RETURN_IF_ERROR(CheckRange("row_count", options.row_count, kCachedRowsMax));
  LONGTAIL_RETURN_IF_ERROR(CheckRange("row_dim", options.row_dim, 4096));
  LONGTAIL_RETURN_IF_ERROR(CheckRange("count_max", options.count_max, kItemsMax));
  HotRows rows;
  rows.options_ = options;
  const std::uint32_t sets = std::bit_ceil((options.row_count + kCacheWays - 1) / kCacheWays);
  const std::size_t ways = std::size_t{sets} * kCacheWays;
  const std::uint32_t stride = (options.row_dim + 3) / 4 * 4;
  const std::size_t n = options.count_max;
  Layout layout;
  const std::size_t stamps = layout.Add<std::uint32_t>(ways);
  const std::size_t counters = layout.Add<CacheCounters>(1);
  const std::size_t zeroed = layout.bytes();
  const std::size_t keys = layout.Add<std::uint64_t>(ways);
  const std::size_t tables = layout.Add<std::uint32_t>(ways);
  const std::size_t applied = layout.Add<std::uint32_t>(ways);
  const std::size_t data = layout.Add<float>(ways * stride);
  rows.offsets_ = {.places = layout.Add<std::uint32_t>(n),
                   .flags = layout.Add<std::uint32_t>(n),
                   .missed = layout.Add<std::uint32_t>(n),
                   .missed_count = layout.Add<std::uint32_t>(1),
                   .sets = layout.Add<std::uint64_t>(n),
                   .order = layout.Add<std::uint32_t>(n),
                   .sorted_sets = layout.Add<std::uint64_t>(n),
                   .sorted_order = layout.Add<std::uint32_t>(n),
                   .run_sets = layout.Add<std::uint64_t>(n),
                   .run_lengths = layout.Add<std::uint32_t>(n),
                   .run_begins = layout.Add<std::uint32_t>(n),
                   .run_count = layout.Add<std::uint32_t>(1)};
  LONGTAIL_ASSIGN_OR_RETURN(rows.memory_, device.Allocate(MemoryKind::kDevice, layout.bytes()));
  const Memory& memory = rows.memory_;
  rows.cache_ = {.keys = memory.At<std::uint64_t>(keys),
                 .tables = memory.At<std::uint32_t>(tables),
                 .stamps = memory.At<std::uint32_t>(stamps),
                 .applied = memory.At<std::uint32_t>(applied),
                 .rows = memory.At<float>(data),
                 .counters = memory.At<CacheCounters>(counters),
                 .set_count = sets,
                 .row_stride = stride};
  stream.Fill(memory.At<void>(0), 0, zeroed);
  return rows;
}

void HotRows::Probe(Stream& stream, const Keys& of, std::uint32_t step) {
  LONGTAIL_CHECK(of.count_max <= options_.count_max);
  LONGTAIL_CHECK(of.dim <= options_.row_dim);
  stream.Launch(CacheProbeCall{.cache = cache_,
                               .keys = of.keys,
                               .count = of.count,
                               .places = memory_.At<std::uint32_t>(offsets_.places),
                               .missed = memory_.At<std::uint32_t>(offsets_.flags),
                               .count_max = of.count_max,
                               .table = of.table,
                               .step = step,
                               .age_max = options_.age_max});
  stream.Pick({.flags = memory_.At<std::uint32_t>(offsets_.flags),
               .places = memory_.At<std::uint32_t>(offsets_.missed),
               .place_count = memory_.At<std::uint32_t>(offsets_.missed_count),
               .count = of.count_max});
}

void HotRows::Insert(Stream& stream, const Keys& of, const Rows& rows, Step step,
                     std::uint32_t applied) {
  LONGTAIL_CHECK(of.count_max <= options_.count_max);
  auto* const sets = memory_.At<std::uint64_t>(offsets_.sets);
  auto* const order = memory_.At<std::uint32_t>(offsets_.order);
  auto* const sorted_sets = memory_.At<std::uint64_t>(offsets_.sorted_sets);
  auto* const sorted_order = memory_.At<std::uint32_t>(offsets_.sorted_order);
  auto* const run_sets = memory_.At<std::uint64_t>(offsets_.run_sets);
  auto* const run_lengths = memory_.At<std::uint32_t>(offsets_.run_lengths);
  auto* const run_begins = memory_.At<std::uint32_t>(offsets_.run_begins);
  auto* const run_count = memory_.At<std::uint32_t>(offsets_.run_count);
  stream.Launch(CacheSetsCall{.cache = cache_,
                              .keys = of.keys,
                              .missed = missed(),
                              .missed_count = missed_count(),
                              .sets = sets,
                              .order = order,
                              .count_max = of.count_max,
                              .table = of.table});
  stream.Sort({.keys = sets,
               .values = order,
               .sorted_keys = sorted_sets,
               .sorted_values = sorted_order,
               .count = of.count_max,
               .bits = static_cast<std::uint32_t>(std::bit_width(cache_.set_count))});
  stream.Fill(run_lengths, 0, std::size_t{of.count_max} * sizeof(std::uint32_t));
  stream.FindRuns({.keys = sorted_sets,
                   .unique = run_sets,
                   .lengths = run_lengths,
                   .run_count = run_count,
                   .count = of.count_max});
  stream.Sum({.values = run_lengths, .sums = run_begins, .count = of.count_max});
  stream.Launch(CacheInsertCall{.cache = cache_,
                                .run_sets = run_sets,
                                .run_begins = run_begins,
                                .run_lengths = run_lengths,
                                .run_count = run_count,
                                .order = sorted_order,
                                .keys = of.keys,
                                .rows = rows.data,
                                .places = memory_.At<std::uint32_t>(offsets_.places),
                                .count_max = of.count_max,
                                .rows_stride = rows.stride,
                                .dim = of.dim,
                                .table = of.table,
                                .step = step.now,
                                .applied = applied,
                                .oldest_step = step.oldest});
}

void HotRows::Read(Stream& stream, const Keys& of, const Rows& rows) const {
  stream.Launch(CacheReadCall{.cache = cache_,
                              .places = places(),
                              .count = of.count,
                              .rows = rows.data,
                              .count_max = of.count_max,
                              .rows_stride = rows.stride,
                              .dim = of.dim});
}

void HotRows::Write(Stream& stream, const Keys& of, const Rows& rows, std::uint32_t applied) const {
  stream.Launch(CacheWriteCall{.cache = cache_,
                               .places = places(),
                               .count = of.count,
                               .rows = rows.data,
                               .count_max = of.count_max,
                               .rows_stride = rows.stride,
                               .dim = of.dim,
                               .applied = applied});
}

}  // namespace longtail::device
