#include "examples/ctr/device/device_trainer.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "examples/common/nn/counter_random.h"
#include "examples/ctr/dense_state.h"
#include "examples/ctr/models/field_gather.h"
#include "examples/ctr/replica_scoring.h"
#include "worker/device/key_segments.h"

namespace longtail::examples {
namespace {

constexpr std::uint64_t kNoPause = std::numeric_limits<std::uint64_t>::max();

absl::Status Refuse(const char* setting, std::uint64_t value, const char* wanted) {
  return absl::InvalidArgumentError(
      absl::StrCat(setting, " ", value, ": a device trains with ", wanted));
}

absl::Status CheckSettings(const TrainConfig& config, const ProcessPlace& place) {
  const DeviceConfig& device = config.device;
  if (config.workers != 1) return Refuse("workers", config.workers, "1 worker");
  if (place.count != 1) return Refuse("processes", place.count, "1 process");
  if (config.backoff.below != 0) return Refuse("backoff", config.backoff.below, "none, 0");
  if (device.depth < 1 || device.depth > kDeviceDepthMax) {
    return Refuse("depth", device.depth, "1..16 steps in flight");
  }
  if (device.cache_steps != 0 && device.cache_rows == 0) {
    return Refuse("cache_steps", device.cache_steps, "0 steps where cache_rows is 0");
  }
  return absl::OkStatus();
}

// The device's products, in the words of the host's own.
void MultiplyOnHost(const device::ColumnMajorGemm& gemm) {
  const auto matrix = [](const float* data, std::int32_t rows, std::int32_t columns,
                         std::int32_t stride) {
    return ConstMatrix(data, static_cast<std::size_t>(rows), static_cast<std::size_t>(columns),
                       static_cast<std::size_t>(stride));
  };
  // Row-major again: C^T = B^T A^T. See device::Lower.
  const bool transposes_b = gemm.transpose_b;
  const bool transposes_a = gemm.transpose_a;
  MultiplyWithOpenBlas({.transpose_a = transposes_b ? Transpose::kYes : Transpose::kNo,
                        .transpose_b = transposes_a ? Transpose::kYes : Transpose::kNo,
                        .a = transposes_b ? matrix(gemm.b, gemm.k, gemm.n, gemm.ldb)
                                          : matrix(gemm.b, gemm.n, gemm.k, gemm.ldb),
                        .b = transposes_a ? matrix(gemm.a, gemm.m, gemm.k, gemm.lda)
                                          : matrix(gemm.a, gemm.k, gemm.m, gemm.lda),
                        .c = {gemm.c, static_cast<std::size_t>(gemm.n),
                              static_cast<std::size_t>(gemm.m), static_cast<std::size_t>(gemm.ldc)},
                        .alpha = gemm.alpha,
                        .beta = gemm.beta});
}

// How steps were launched, for a person.
std::string GraphNote(const device::GraphCounters& counters, const std::string& problem) {
  const double commands = static_cast<double>(counters.commands) /
                          static_cast<double>(std::max<std::uint64_t>(1, counters.replays));
  std::string note = absl::StrFormat(
      "graphs: %d recorded; %d steps by 1 launch for %.1f commands each, %d by commands",
      counters.captures, counters.replays, commands, counters.plain_steps);
  return problem.empty() ? note : absl::StrCat(note, "; ", problem);
}

template <typename T>
void CopyTo(T* to, const std::vector<T>& from) {
  if (!from.empty()) std::memcpy(to, from.data(), from.size() * sizeof(T));
}

}  // namespace

DeviceTrainer::DeviceTrainer(const TrainConfig& config, TableId table)
    : config_(config), table_(table), gemm_(MakeOpenBlasGemm()), pause_behind_(kNoPause) {}

absl::StatusOr<std::unique_ptr<DeviceTrainer>> DeviceTrainer::Make(const TrainConfig& config,
                                                                   const FeatureLayout& layout,
                                                                   Cluster& cluster,
                                                                   const ProcessPlace& place) {
  LONGTAIL_RETURN_IF_ERROR(CheckSettings(config, place));
  LONGTAIL_ASSIGN_OR_RETURN(const TrainConfig full, CompleteConfig(config, layout));
  LONGTAIL_ASSIGN_OR_RETURN(const device::DeviceName name,
                            device::ParseDeviceName(full.device.name));
  LONGTAIL_ASSIGN_OR_RETURN(const TableId table, cluster.CreateTable(full.table));
  std::unique_ptr<DeviceTrainer> trainer(new DeviceTrainer(full, table));
  DeviceTrainer& t = *trainer;
  LONGTAIL_ASSIGN_OR_RETURN(t.opened_,
                            device::OpenDevice({.name = name, .cpu = {.gemm = &MultiplyOnHost}}));
  LONGTAIL_ASSIGN_OR_RETURN(t.shared_, MakeModelParameters(full.model, full.seed));
  ScaleWeights(full.dense_initial_scale, t.shared_.trained);
  const ParameterLayout& parameters = t.shared_.trained.layout();
  LONGTAIL_ASSIGN_OR_RETURN(t.optimizer_, DenseOptimizer::Make(full.dense, parameters));

  const auto batch_max = static_cast<std::uint32_t>(full.model.batch_max);
  const std::uint64_t keys_max = full.device.keys_max != 0
                                     ? full.device.keys_max
                                     : std::uint64_t{2} * batch_max * full.model.field_count;
  if (keys_max > device::kItemsMax) return Refuse("keys_max", keys_max, "at most 2^31 - 1 keys");
  if (!full.device.trace.empty()) t.trace_ = std::make_unique<device::RangeTrace>();
  device::Device& device = *t.opened_.device;
  LONGTAIL_ASSIGN_OR_RETURN(
      t.pipeline_,
      device::StepPipeline::Make(device, {.limits = {.examples = batch_max,
                                                     .fields = full.model.field_count,
                                                     .numbers = full.model.numeric_count,
                                                     .keys = static_cast<std::uint32_t>(keys_max),
                                                     .row_dim = full.table.dim,
                                                     .is_rounded = full.device.graph},
                                          .room_count = full.device.depth + 1,
                                          .cache_rows = full.device.cache_rows,
                                          .cache_age_max = full.device.cache_steps,
                                          .trace = t.trace_.get()}));
  if (full.device.graph) t.graphs_ = std::make_unique<device::StepGraphs>();
  device::Stream& stream = t.pipeline_->compute();
  LONGTAIL_ASSIGN_OR_RETURN(t.model_, MakeDeviceModel(device, stream, full.model, parameters,
                                                      static_cast<std::uint32_t>(keys_max)));
  LONGTAIL_ASSIGN_OR_RETURN(t.dense_, DeviceDense::Make(device, full.dense, parameters));
  LONGTAIL_RETURN_IF_ERROR(t.dense_->Load(stream, t.shared_.trained, *t.optimizer_));

  LONGTAIL_ASSIGN_OR_RETURN(auto worker, cluster.Connect(WorkerOptionsOf(full, 0)));
  LONGTAIL_ASSIGN_OR_RETURN(auto model, MakeModel(full.model, t.shared_, *t.gemm_));
  t.replica_ = std::make_unique<Replica>(std::move(worker), table, std::move(model), full.backoff);
  t.flights_.resize(t.pipeline_->room_count());
  return trainer;
}

// What commands name must outlive them.
DeviceTrainer::~DeviceTrainer() {
  if (pipeline_ != nullptr) pipeline_->Finish().IgnoreError();
}

absl::Status DeviceTrainer::BeginEpoch(std::uint64_t epoch, NextBatch next) {
  if (in_flight_ != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("a pass begins at step ", step_, ", while ", in_flight_,
                     " steps of the last one are in flight: wanted it paused there"));
  }
  LONGTAIL_RETURN_IF_ERROR(Flush());
  is_first_pass_ = epoch == 0;
  next_ = std::move(next);
  at_end_ = false;
  is_read_ = false;
  read_status_ = absl::OkStatus();
  return absl::OkStatus();
}

// In either thread: nothing else touches a place that is not in flight.
absl::Status DeviceTrainer::Read(std::size_t place) {
  Batch& batch = flights_[place].batch;
  {
    const device::Range range(pipeline_->ranges(), "read");
    LONGTAIL_RETURN_IF_ERROR(next_(batch));
  }
  return batch.size == 0 ? absl::OkStatus() : Prepare(place);
}

absl::Status DeviceTrainer::Prepare(std::size_t place) {
  const device::Range range(pipeline_->ranges(), "deduplicate");
  Flight& flight = flights_[place];
  const Batch& batch = flight.batch;
  LONGTAIL_RETURN_IF_ERROR(replica_->worker().Prepare(table_, batch.keys, flight.keys));
  LONGTAIL_RETURN_IF_ERROR(
      pipeline_->room(place).Begin({.examples = static_cast<std::uint32_t>(batch.size),
                                    .keys = static_cast<std::uint32_t>(batch.keys.size()),
                                    .unique = static_cast<std::uint32_t>(flight.keys.unique_size()),
                                    .has_offsets = !IsSingleValued(batch),
                                    .has_values = !batch.values.empty()}));
  FillInputs(place);
  return absl::OkStatus();
}

void DeviceTrainer::FillInputs(std::size_t place) {
  const Flight& flight = flights_[place];
  const Batch& batch = flight.batch;
  const device::StepArrays& to = pipeline_->room(place).host();
  CopyTo(to.labels, batch.labels);
  CopyTo(to.numbers, batch.numeric);
  if (to.offsets != nullptr) CopyTo(to.offsets, batch.offsets);
  if (to.values != nullptr) CopyTo(to.values, batch.values);
  const std::span<const Key> keys = flight.keys.keys();
  if (to.keys != nullptr) std::ranges::copy(keys, to.keys);
  const std::span<const std::uint32_t> inverse = flight.keys.inverse();
  std::ranges::copy(inverse, to.inverse);
  device::FindSegments(inverse, {to.begins, keys.size() + 1}, {to.positions, inverse.size()});
  *to.unique_count = static_cast<std::uint32_t>(keys.size());
}

absl::StatusOr<StepResult> DeviceTrainer::Step() {
  LONGTAIL_RETURN_IF_ERROR(std::exchange(read_status_, absl::OkStatus()));
  LONGTAIL_RETURN_IF_ERROR(Fill());
  StepResult result{.step = step_, .size = 0, .size_here = 0, .rows_here = 0, .loss_sum = 0};
  if (in_flight_ == 0) return result;
  // Nothing is read between two steps: who gives batches need not live longer than they do.
  const bool reads = !is_read_ && !at_end_;
  const std::size_t spare = PlaceOf(in_flight_);
  absl::Status read;
  LONGTAIL_RETURN_IF_ERROR(team_.Run([&](std::uint32_t member) {
    if (member == 0) return FinishFirst(result);
    if (reads) read = Read(spare);
    return absl::OkStatus();
  }));
  if (reads) {
    is_read_ = read.ok() && flights_[spare].batch.size != 0;
    at_end_ = !is_read_;
    read_status_ = read;
  }
  return result;
}

// Has as many steps in flight as may be: the youngest of three or more is left with its pull on its
// way, all others are the device's.
absl::Status DeviceTrainer::Fill() {
  const bool is_exact = step_ < config_.device.exact_steps;
  const std::uint32_t depth = is_exact ? 1 : config_.device.depth;
  while (in_flight_ < depth && step_ + in_flight_ < pause_behind_) {
    const std::size_t place = PlaceOf(in_flight_);
    if (!is_read_ && !at_end_) {
      LONGTAIL_RETURN_IF_ERROR(Read(place));
      is_read_ = flights_[place].batch.size != 0;
      at_end_ = !is_read_;
    }
    if (!is_read_) break;
    LONGTAIL_RETURN_IF_ERROR(LaunchAll());
    LONGTAIL_RETURN_IF_ERROR(BeginPull(place, static_cast<std::uint32_t>(in_flight_)));
    is_read_ = false;
    ++in_flight_;
  }
  return in_flight_ < 3 ? LaunchAll() : absl::OkStatus();
}

absl::Status DeviceTrainer::BeginPull(std::size_t place, std::uint32_t ahead) {
  Flight& flight = flights_[place];
  device::StepRoom& room = pipeline_->room(place);
  const std::uint64_t step = step_ + ahead;
  flight.scales = GradientScalesOf(config_, flight.batch.size);
  flight.step = {.seed = config_.seed,
                 .step = step,
                 .gradient_scale = flight.scales.examples,
                 .dense_gradient_scale = flight.scales.dense,
                 .learning_rate_factor = config_.schedule.Factor(step),
                 .counts_occurrences = is_first_pass_};
  flight.is_launched = false;
  pipeline_->SendInputs(room);
  const KeyBatch* keys = &flight.keys;
  if (pipeline_->has_cache()) {
    LONGTAIL_RETURN_IF_ERROR(FindMissed(place));
    keys = &flight.missed_keys;
  }
  flight.rows_sent = pipeline_->has_cache() ? flight.missed.size() : keys->unique_size();
  flight.has_pull = flight.rows_sent != 0;
  if (!flight.has_pull) return absl::OkStatus();
  const device::Range range(pipeline_->ranges(), "pull");
  const PullItem item{.keys = keys,
                      .rows = {room.host().rows, flight.rows_sent * config_.table.dim}};
  flight.pull = replica_->worker().PullAsync(std::span(&item, 1), {.steps_ahead = ahead});
  return absl::OkStatus();
}

absl::Status DeviceTrainer::FindMissed(std::size_t place) {
  Flight& flight = flights_[place];
  device::StepRoom& room = pipeline_->room(place);
  // The cache's own count of steps, from 1 on: while rows are to be exact it goes on by so many
  // that all are too old.
  cache_step_ += flight.step.step < config_.device.exact_steps ? config_.device.cache_steps + 1 : 1;
  LONGTAIL_ASSIGN_OR_RETURN(const std::span<const std::uint32_t> missed,
                            pipeline_->FindMissed(room, cache_step_));
  const std::span<const Key> keys = flight.keys.keys();
  flight.missed.clear();
  for (const std::uint32_t i : missed) flight.missed.push_back(keys[i]);
  std::uint32_t* const ranks = room.host().ranks;
  std::fill_n(ranks, keys.size(), 0U);
  if (missed.empty()) return absl::OkStatus();
  LONGTAIL_RETURN_IF_ERROR(replica_->worker().Prepare(table_, flight.missed, flight.missed_keys));
  const std::span<const std::uint32_t> rank_of = flight.missed_keys.inverse();
  for (std::size_t j = 0; j < missed.size(); ++j) ranks[missed[j]] = rank_of[j];
  return absl::OkStatus();
}

// Gives a step whose rows are here to the device.
absl::Status DeviceTrainer::Launch(std::size_t place) {
  Flight& flight = flights_[place];
  device::StepRoom& room = pipeline_->room(place);
  if (flight.has_pull) {
    const device::Range range(pipeline_->ranges(), "wait for rows");
    LONGTAIL_RETURN_IF_ERROR(flight.pull.Wait());
  }
  device::StepScalars& scalars = *room.host().scalars;
  scalars = {.dropout_stream = StreamKey(flight.step.seed, flight.step.step)};
  dense_->BeginStep(flight.step.learning_rate_factor, scalars);
  pipeline_->SendRows(room, static_cast<std::uint32_t>(flight.rows_sent));
  EnqueueDensePart(place);
  flight.is_launched = true;
  return absl::OkStatus();
}

// By commands results leave before the optimizer moves; a graph is one command, and they leave
// behind it.
void DeviceTrainer::EnqueueDensePart(std::size_t place) {
  const ReplicaStep& step = flights_[place].step;
  device::StepRoom& room = pipeline_->room(place);
  device::Stream& stream = pipeline_->compute();
  const auto compute = [&] {
    model_->Enqueue(stream, {.gradient_scale = step.gradient_scale, .ranges = pipeline_->ranges()},
                    room, dense_->parameters(), dense_->gradients());
  };
  const auto move = [&] {
    const device::Range range(pipeline_->ranges(), "optimizer");
    dense_->Move(stream, room.device().scalars, step.dense_gradient_scale);
  };
  if (graphs_ == nullptr) {
    compute();
    pipeline_->Return(room);
    return move();
  }
  {
    const device::Range range(pipeline_->ranges(), "dense part");
    graphs_->Run(stream,
                 {.room = place,
                  .bounds = room.bounds(),
                  .scales = {step.gradient_scale, step.dense_gradient_scale}},
                 [&] {
                   compute();
                   move();
                 });
  }
  pipeline_->Return(room);
}

absl::Status DeviceTrainer::LaunchAll() {
  for (std::size_t nth = 0; nth < in_flight_; ++nth) {
    if (flights_[PlaceOf(nth)].is_launched) continue;
    LONGTAIL_RETURN_IF_ERROR(Launch(PlaceOf(nth)));
  }
  return absl::OkStatus();
}

absl::Status DeviceTrainer::FinishFirst(StepResult& result) {
  const Flight& flight = flights_[first_];
  const device::StepRoom& room = pipeline_->room(first_);
  LONGTAIL_RETURN_IF_ERROR(pipeline_->Await(pipeline_->room(first_)));
  LONGTAIL_RETURN_IF_ERROR(Push(first_));
  result.step = ++step_;
  result.size = flight.batch.size;
  result.size_here = flight.batch.size;
  result.rows_here = flight.rows_sent;
  for (std::uint32_t part = 0; part < room.loss_parts(); ++part) {
    result.loss_sum += room.host().losses[part];
  }
  last_ = first_;
  first_ = PlaceOf(1);
  --in_flight_;
  return absl::OkStatus();
}

absl::Status DeviceTrainer::Push(std::size_t place) {
  LONGTAIL_RETURN_IF_ERROR(Flush());
  const device::Range range(pipeline_->ranges(), "push");
  const Flight& flight = flights_[place];
  const PushItem item{.keys = &flight.keys,
                      .counts_occurrences = flight.step.counts_occurrences,
                      .gradients = {pipeline_->room(place).host().row_gradients,
                                    flight.keys.unique_size() * config_.table.dim}};
  push_ = replica_->worker().PushAsync(std::span(&item, 1),
                                       {.learning_rate_scale = flight.step.learning_rate_factor});
  end_of_step_ = replica_->worker().EndStepAsync();
  is_pushed_ = true;
  return absl::OkStatus();
}

absl::Status DeviceTrainer::Flush() {
  if (!is_pushed_) return absl::OkStatus();
  const device::Range range(pipeline_->ranges(), "wait for pushes");
  LONGTAIL_RETURN_IF_ERROR(push_.Wait());
  return end_of_step_.Wait();
}

absl::Status DeviceTrainer::RefreshDense() {
  if (in_flight_ != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("dense parameters of step ", step_, ": ", in_flight_,
                     " steps in flight move them; wanted a pause there"));
  }
  return dense_->Save(pipeline_->compute(), shared_.trained, *optimizer_);
}

absl::Status DeviceTrainer::Score(Batch& batch, std::optional<std::uint32_t> field,
                                  Scores& scores) {
  return ScoreBatch(*replica_, scoring_, batch, field, scores);
}

void DeviceTrainer::ForEachLogit(absl::FunctionRef<void(float label, float logit)> visit) const {
  if (step_ == 0) return;
  const Batch& batch = flights_[last_].batch;
  const float* const logits = pipeline_->room(last_).host().logits;
  for (std::size_t i = 0; i < batch.size; ++i) visit(batch.labels[i], logits[i]);
}

device::GraphCounters DeviceTrainer::graph_counters() const {
  return graphs_ == nullptr ? device::GraphCounters{} : graphs_->counters();
}

absl::StatusOr<std::string> DeviceTrainer::Conclude() {
  if (trace_ != nullptr) LONGTAIL_RETURN_IF_ERROR(trace_->Write(config_.device.trace));
  if (graphs_ == nullptr) return std::string();
  return GraphNote(graphs_->counters(), graphs_->problem());
}

TrainerState DeviceTrainer::Save() const {
  TrainerState state;
  SaveDense(shared_, *optimizer_, step_, state);
  return state;
}

absl::Status DeviceTrainer::Restore(const TrainerState& state) {
  LONGTAIL_RETURN_IF_ERROR(RestoreDense(state, shared_, *optimizer_, step_));
  return dense_->Load(pipeline_->compute(), shared_.trained, *optimizer_);
}

}  // namespace longtail::examples
