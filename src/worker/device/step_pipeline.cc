#include "worker/device/step_pipeline.h"

#include <cstddef>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status_macros.h"

namespace longtail::device {
namespace {

// How long the host waits for a step of the device.
constexpr absl::Duration kStepWaitMax = absl::Minutes(5);

// Where the missed keys begin in their memory, behind their number and the counters.
constexpr std::size_t kMissedBegin = 256;
constexpr std::size_t kCountersBegin = 64;
static_assert(kCountersBegin + sizeof(CacheCounters) <= kMissedBegin);

}  // namespace

absl::StatusOr<std::unique_ptr<StepPipeline>> StepPipeline::Make(Device& device,
                                                                 const Options& options) {
  if (options.room_count < 1) {
    return absl::InvalidArgumentError("a pipeline's room_count 0: want at least 1");
  }
  std::unique_ptr<StepPipeline> pipeline(new StepPipeline());
  StepPipeline& p = *pipeline;
  p.limits_ = options.limits;
  p.limits_.has_cache = options.cache_rows != 0;
  p.ranges_ = {.profiler = device.profiler(), .trace = options.trace};
  for (std::uint32_t i = 0; i < options.room_count; ++i) {
    LONGTAIL_ASSIGN_OR_RETURN(auto room,
                              StepRoom::Make(device, absl::StrCat("step room ", i), p.limits_));
    p.rooms_.push_back(std::move(room));
  }
  const std::uint32_t keys = options.limits.keys;
  LONGTAIL_ASSIGN_OR_RETURN(
      p.in_, device.MakeStream({.name = "in", .count_max = p.limits_.has_cache ? keys : 0}));
  LONGTAIL_ASSIGN_OR_RETURN(p.compute_, device.MakeStream({.name = "compute", .count_max = keys}));
  LONGTAIL_ASSIGN_OR_RETURN(p.out_, device.MakeStream({.name = "out"}));
  if (!p.limits_.has_cache) return pipeline;
  LONGTAIL_ASSIGN_OR_RETURN(p.cache_, HotRows::Make(device, *p.in_,
                                                    {.row_count = options.cache_rows,
                                                     .row_dim = options.limits.row_dim,
                                                     .count_max = keys,
                                                     .age_max = options.cache_age_max}));
  LONGTAIL_ASSIGN_OR_RETURN(
      p.missed_, device.Allocate(MemoryKind::kPinned, kMissedBegin + keys * sizeof(std::uint32_t)));
  LONGTAIL_ASSIGN_OR_RETURN(p.probed_, device.MakeEvent("the cache was asked"));
  return pipeline;
}

// Streams that wait for one another end first, then what their commands name.
StepPipeline::~StepPipeline() {
  Finish().IgnoreError();  // Whoever wants to know has asked.
}

void StepPipeline::SendInputs(StepRoom& room) {
  const Range range(ranges_, "inputs in");
  in_->Copy(room.device_sent_.At<void>(0), room.host_sent_.At<void>(0), room.input_bytes_);
}

absl::StatusOr<std::span<const std::uint32_t>> StepPipeline::FindMissed(StepRoom& room,
                                                                        std::uint32_t step) {
  LONGTAIL_CHECK(cache_.has_value());
  const Range range(ranges_, "find missed rows");
  const std::uint32_t unique = room.shape().unique;
  step_ = step;
  cache_->Probe(*in_,
                {.dim = limits_.row_dim,
                 .keys = room.device().keys,
                 .count = room.device().unique_count,
                 .count_max = unique},
                step);
  auto* const count = missed_.At<std::uint32_t>(0);
  auto* const missed = missed_.At<std::uint32_t>(kMissedBegin);
  in_->Copy(count, cache_->missed_count(), sizeof(*count));
  in_->Copy(missed, cache_->missed(), unique * sizeof(*missed));
  in_->Record(*probed_);
  LONGTAIL_RETURN_IF_ERROR(probed_->Await(kStepWaitMax));
  LONGTAIL_RETURN_IF_ERROR(in_->FirstError());
  return std::span<const std::uint32_t>(missed, *count);
}

void StepPipeline::SendRows(StepRoom& room, std::uint32_t count) {
  const Range range(ranges_, "rows in");
  const std::size_t bytes = std::size_t{count} * limits_.row_dim * sizeof(float);
  const std::size_t end = room.row_places_ + bytes;
  in_->Copy(room.device_sent_.At<void>(room.rows_begin_),
            room.host_sent_.At<void>(room.rows_begin_), end - room.rows_begin_);
  if (cache_) {
    const std::uint32_t unique = room.shape().unique;
    const HotRows::Keys keys{.dim = limits_.row_dim,
                             .keys = room.device().keys,
                             .count = room.device().unique_count,
                             .count_max = unique};
    const HotRows::Rows rows{.data = room.device().rows, .stride = limits_.row_dim};
    // What was sent goes to its place, what was kept over the rest.
    in_->Launch(PoolCall{.rows = room.sent_rows(),
                         .inverse = room.device().ranks,
                         .bags = {.examples = unique, .fields = 1},
                         .pooled = rows.data,
                         .row_stride = limits_.row_dim,
                         .pooled_stride = limits_.row_dim,
                         .dim = limits_.row_dim});
    cache_->Insert(*in_, keys, rows, {.now = step_, .oldest = step_}, step_);
    cache_->Read(*in_, keys, rows);
  }
  in_->Record(*room.sent_);
  compute_->Wait(*room.sent_);
}

void StepPipeline::Return(StepRoom& room) {
  const Range range(ranges_, "results out");
  compute_->Record(*room.computed_);
  out_->Wait(*room.computed_);
  out_->Copy(room.host_results_.At<void>(0), room.device_results_.At<void>(0), room.result_bytes_);
  out_->Record(*room.returned_);
}

absl::Status StepPipeline::Await(StepRoom& room) {
  const Range range(ranges_, "wait for results");
  LONGTAIL_RETURN_IF_ERROR(room.returned_->Await(kStepWaitMax));
  for (Stream* stream : {in_.get(), compute_.get(), out_.get()}) {
    LONGTAIL_RETURN_IF_ERROR(stream->FirstError());
  }
  return absl::OkStatus();
}

absl::Status StepPipeline::Finish() {
  absl::Status status;
  for (Stream* stream : {in_.get(), compute_.get(), out_.get()}) {
    if (stream != nullptr) status.Update(stream->Finish(kStepWaitMax));
  }
  return status;
}

absl::StatusOr<CacheCounters> StepPipeline::CountersOfCache() {
  if (!cache_) return CacheCounters{};
  auto* const counters = missed_.At<CacheCounters>(kCountersBegin);
  in_->Copy(counters, cache_->counters(), sizeof(*counters));
  LONGTAIL_RETURN_IF_ERROR(in_->Finish(kStepWaitMax));
  return *counters;
}

}  // namespace longtail::device
