#include "cli/gpu_selfcheck_training.h"

#include <algorithm>
#include <array>
#include <memory>
#include <span>
#include <utility>

#include "base/random.h"
#include "base/status_macros.h"
#include "longtail/cluster.h"
#include "worker/device/key_segments.h"
#include "worker/device/step_graphs.h"
#include "worker/device/step_pipeline.h"

namespace longtail::cli {
namespace {

constexpr std::uint32_t kFields = 8;
constexpr std::uint32_t kDim = 16;
constexpr std::uint32_t kRowDim = kDim + 1;  // With a linear weight.
constexpr std::uint32_t kColumns = kFields * kDim;
constexpr std::uint32_t kHidden = 32;
constexpr std::uint64_t kIdsPerField = 200;
constexpr std::uint64_t kSeed = 1;
constexpr float kLearningRate = 0.1F;
constexpr absl::Duration kWaitMax = absl::Minutes(1);

// Places of the dense parameters: weights and biases of the hidden layer, weights of the logit.
constexpr std::uint32_t kBias = kColumns * kHidden;
constexpr std::uint32_t kHead = kBias + kHidden;
constexpr std::uint32_t kParameters = kHead + kHidden;

// A click if the effects of an example's ids, which their hashes decide, are more than nothing.
struct Examples {
  std::vector<Key> keys;
  std::vector<float> labels;
};

Examples MakeExamples(std::uint32_t step, std::uint32_t count) {
  Examples made;
  Rng rng(kSeed + step);
  for (std::uint32_t i = 0; i < count; ++i) {
    float effects = 0;
    for (std::uint64_t field = 0; field < kFields; ++field) {
      const Key key = field * kIdsPerField + rng.Below(kIdsPerField);
      made.keys.push_back(key);
      effects += UnitFloat(Mix64(key)) - 0.5F;
    }
    made.labels.push_back(effects > 0 ? 1.0F : 0.0F);
  }
  return made;
}

// The model's memory on the device, and what a step enqueues.
class SmallModel {
 public:
  static absl::StatusOr<std::unique_ptr<SmallModel>> Make(device::Device& device,
                                                          device::Stream& stream,
                                                          std::uint32_t batch);
  void Enqueue(device::Stream& stream, const device::StepRoom& room) const;
  absl::StatusOr<std::vector<float>> Parameters(device::Stream& stream) const;

 private:
  explicit SmallModel(std::uint32_t batch) : batch_(batch) {}
  void EnqueueForward(device::Stream& stream, const device::StepRoom& room) const;
  void EnqueueBackward(device::Stream& stream, const device::StepRoom& room) const;
  void EnqueueSums(device::Stream& stream, const device::StepRoom& room) const;

  const std::uint32_t batch_;
  device::Memory memory_;
  float* parameters_ = nullptr;
  float* gradients_ = nullptr;
  float* x_ = nullptr;  // [batch, kColumns], as dx.
  float* dx_ = nullptr;
  float* hidden_ = nullptr;  // [batch, kHidden], as dhidden.
  float* dhidden_ = nullptr;
  float* pairs_ = nullptr;  // [batch, kDim]
};

absl::StatusOr<std::unique_ptr<SmallModel>> SmallModel::Make(device::Device& device,
                                                             device::Stream& stream,
                                                             std::uint32_t batch) {
  std::unique_ptr<SmallModel> model(new SmallModel(batch));
  const std::array<std::pair<float**, std::size_t>, 7> arrays = {{
      {&model->parameters_, kParameters},
      {&model->gradients_, kParameters},
      {&model->x_, std::size_t{batch} * kColumns},
      {&model->dx_, std::size_t{batch} * kColumns},
      {&model->hidden_, std::size_t{batch} * kHidden},
      {&model->dhidden_, std::size_t{batch} * kHidden},
      {&model->pairs_, std::size_t{batch} * kDim},
  }};
  const auto bytes_of = [](std::size_t floats) {
    return (floats * sizeof(float) + 255) / 256 * 256;
  };
  std::size_t bytes = 0;
  for (const auto& [pointer, floats] : arrays) bytes += bytes_of(floats);
  LONGTAIL_ASSIGN_OR_RETURN(model->memory_, device.Allocate(device::MemoryKind::kDevice, bytes));
  std::size_t begin = 0;
  for (const auto& [pointer, floats] : arrays) {
    *pointer = model->memory_.At<float>(begin);
    begin += bytes_of(floats);
  }
  std::vector<float> parameters(kParameters, 0.0F);
  Rng rng(kSeed);
  for (float& weight : parameters) weight = rng.Uniform(-0.2F, 0.2F);
  std::fill_n(parameters.begin() + kBias, kHidden, 0.0F);
  stream.Copy(model->parameters_, parameters.data(), kParameters * sizeof(float));
  LONGTAIL_RETURN_IF_ERROR(stream.Finish(kWaitMax));
  return model;
}

void SmallModel::EnqueueForward(device::Stream& stream, const device::StepRoom& room) const {
  const device::StepArrays& arrays = room.device();
  stream.Fill(arrays.logits, 0, batch_ * sizeof(float));
  stream.Launch(device::PoolLinearCall{.rows = arrays.rows,
                                       .inverse = arrays.inverse,
                                       .bags = room.bags(),
                                       .linear = arrays.logits,
                                       .row_stride = kRowDim});
  stream.Launch(device::PoolCall{.rows = arrays.rows + 1,
                                 .inverse = arrays.inverse,
                                 .bags = room.bags(),
                                 .pooled = x_,
                                 .row_stride = kRowDim,
                                 .pooled_stride = kColumns,
                                 .dim = kDim});
  stream.Launch(device::PairSumsCall{.v = x_,
                                     .sums = pairs_,
                                     .logits = arrays.logits,
                                     .examples = batch_,
                                     .fields = kFields,
                                     .dim = kDim,
                                     .v_stride = kColumns});
  stream.Multiply({.rows = static_cast<std::int32_t>(batch_),
                   .columns = kHidden,
                   .inner = kColumns,
                   .a = x_,
                   .a_stride = kColumns,
                   .b = parameters_,
                   .b_stride = kHidden,
                   .c = hidden_,
                   .c_stride = kHidden});
  stream.Launch(device::BiasCall{.y = hidden_,
                                 .bias = parameters_ + kBias,
                                 .rows = batch_,
                                 .columns = kHidden,
                                 .activation = device::Activation::kRelu});
  stream.Launch(device::LogitHeadCall{.x = hidden_,
                                      .weights = parameters_ + kHead,
                                      .logits = arrays.logits,
                                      .examples = batch_,
                                      .inputs = kHidden,
                                      .x_stride = kHidden});
  stream.Launch(device::LogisticLossCall{.logits = arrays.logits,
                                         .labels = arrays.labels,
                                         .gradients = room.logit_gradients(),
                                         .losses = room.example_losses(),
                                         .scale = 1 / static_cast<float>(batch_),
                                         .count = batch_});
  stream.Launch(device::SumPartsCall{.values = room.example_losses(),
                                     .sums = arrays.losses,
                                     .count = batch_,
                                     .part_size = device::kLossPartSize});
}

void SmallModel::EnqueueBackward(device::Stream& stream, const device::StepRoom& room) const {
  const float* const logit_gradients = room.logit_gradients();
  // Sums of one part go where they are wanted.
  stream.Launch(device::LogitWeightPartsCall{.x = hidden_,
                                             .logit_gradients = logit_gradients,
                                             .parts = gradients_ + kHead,
                                             .examples = batch_,
                                             .inputs = kHidden,
                                             .x_stride = kHidden,
                                             .part_rows = (batch_ + 3) / 4 * 4});
  stream.Launch(device::LogitInputGradientsCall{.weights = parameters_ + kHead,
                                                .logit_gradients = logit_gradients,
                                                .dx = dhidden_,
                                                .examples = batch_,
                                                .inputs = kHidden,
                                                .dx_stride = kHidden});
  stream.Launch(device::ReluGradientCall{.y = hidden_, .dy = dhidden_, .count = batch_ * kHidden});
  stream.Launch(device::ColumnPartsCall{.x = dhidden_,
                                        .parts = gradients_ + kBias,
                                        .rows = batch_,
                                        .columns = kHidden,
                                        .part_rows = batch_});
  stream.Multiply({.transpose_a = true,
                   .rows = kColumns,
                   .columns = kHidden,
                   .inner = static_cast<std::int32_t>(batch_),
                   .a = x_,
                   .a_stride = kColumns,
                   .b = dhidden_,
                   .b_stride = kHidden,
                   .c = gradients_,
                   .c_stride = kHidden});
  stream.Multiply({.transpose_b = true,
                   .rows = static_cast<std::int32_t>(batch_),
                   .columns = kColumns,
                   .inner = kHidden,
                   .a = dhidden_,
                   .a_stride = kHidden,
                   .b = parameters_,
                   .b_stride = kHidden,
                   .c = dx_,
                   .c_stride = kColumns});
  stream.Launch(device::PairGradientsCall{.v = x_,
                                          .sums = pairs_,
                                          .logit_gradients = logit_gradients,
                                          .dv = dx_,
                                          .examples = batch_,
                                          .fields = kFields,
                                          .dim = kDim,
                                          .v_stride = kColumns,
                                          .dv_stride = kColumns});
}

void SmallModel::EnqueueSums(device::Stream& stream, const device::StepRoom& room) const {
  const device::StepArrays& arrays = room.device();
  device::SegmentSumCall sum{.gradients = dx_,
                             .bags = room.bags(),
                             .positions = arrays.positions,
                             .begins = arrays.begins,
                             .unique_count = arrays.unique_count,
                             .sums = arrays.row_gradients + 1,
                             .unique_max = room.bounds().unique,
                             .stride = kColumns,
                             .field_stride = kDim,
                             .sum_stride = kRowDim,
                             .dim = kDim};
  stream.Launch(sum);
  sum.gradients = room.logit_gradients();
  sum.sums = arrays.row_gradients;
  sum.stride = 1;
  sum.field_stride = 0;
  sum.dim = 1;
  stream.Launch(sum);
}

void SmallModel::Enqueue(device::Stream& stream, const device::StepRoom& room) const {
  EnqueueForward(stream, room);
  EnqueueBackward(stream, room);
  EnqueueSums(stream, room);
  stream.Launch(device::DenseSgdCall{
      .slice = {.weights = parameters_, .gradients = gradients_, .clip = 10, .count = kParameters},
      .learning_rate = &room.device().scalars->learning_rate});
}

absl::StatusOr<std::vector<float>> SmallModel::Parameters(device::Stream& stream) const {
  std::vector<float> parameters(kParameters);
  stream.Copy(parameters.data(), parameters_, kParameters * sizeof(float));
  LONGTAIL_RETURN_IF_ERROR(stream.Finish(kWaitMax));
  return parameters;
}

// A worker, a pipeline of two rooms, and the keys of the steps that are in them.
struct SmallWorker {
  std::unique_ptr<Worker> worker;
  TableId table{};
  std::unique_ptr<device::StepPipeline> pipeline;
  std::unique_ptr<SmallModel> model;
  std::unique_ptr<device::StepGraphs> graphs;  // Null: none are wanted.
  std::array<KeyBatch, 2> keys;

  absl::Status Begin(std::uint32_t step, std::uint32_t batch);
  absl::StatusOr<double> Finish(std::uint32_t step);
};

absl::Status SmallWorker::Begin(std::uint32_t step, std::uint32_t batch) {
  device::StepRoom& room = pipeline->room(step % 2);
  KeyBatch& of = keys[step % 2];
  const Examples examples = MakeExamples(step, batch);
  LONGTAIL_RETURN_IF_ERROR(worker->Prepare(table, examples.keys, of));
  const auto unique = static_cast<std::uint32_t>(of.unique_size());
  LONGTAIL_RETURN_IF_ERROR(
      room.Begin({.examples = batch, .keys = batch * kFields, .unique = unique}));
  const device::StepArrays& to = room.host();
  std::ranges::copy(examples.labels, to.labels);
  std::ranges::copy(of.inverse(), to.inverse);
  device::FindSegments(of.inverse(), {to.begins, unique + std::size_t{1}},
                       {to.positions, examples.keys.size()});
  *to.unique_count = unique;
  // So that a graph that keeps the first step's is seen.
  *to.scalars = {.learning_rate = kLearningRate / static_cast<float>(1 + step % 3)};
  pipeline->SendInputs(room);
  const PullItem item{.keys = &of, .rows = {to.rows, std::size_t{unique} * kRowDim}};
  LONGTAIL_RETURN_IF_ERROR(worker->Pull(std::span(&item, 1), {.steps_ahead = step == 0 ? 0U : 1U}));
  pipeline->SendRows(room, unique);
  const auto enqueue = [&] { model->Enqueue(pipeline->compute(), room); };
  if (graphs == nullptr) {
    enqueue();
  } else {
    graphs->Run(pipeline->compute(), {.room = step % 2, .bounds = room.bounds()}, enqueue);
  }
  pipeline->Return(room);
  return absl::OkStatus();
}

absl::StatusOr<double> SmallWorker::Finish(std::uint32_t step) {
  device::StepRoom& room = pipeline->room(step % 2);
  LONGTAIL_RETURN_IF_ERROR(pipeline->Await(room));
  const device::StepArrays& from = room.host();
  const PushItem item{
      .keys = &keys[step % 2],
      .gradients = {from.row_gradients, std::size_t{room.shape().unique} * kRowDim}};
  LONGTAIL_RETURN_IF_ERROR(worker->Push(std::span(&item, 1)));
  LONGTAIL_RETURN_IF_ERROR(worker->EndStep());
  double loss = 0;
  for (std::uint32_t part = 0; part < room.loss_parts(); ++part) loss += from.losses[part];
  return loss / room.shape().examples;
}

}  // namespace

absl::StatusOr<SmallTrainingResult> TrainSmallModel(device::Device& device,
                                                    const SmallTrainingOptions& options) {
  LONGTAIL_ASSIGN_OR_RETURN(const std::unique_ptr<Cluster> cluster,
                            Cluster::Embedded({.step_mode = StepMode::kSynchronous}));
  SmallWorker w;
  LONGTAIL_ASSIGN_OR_RETURN(
      w.table, cluster->CreateTable({.name = "rows",
                                     .dim = kRowDim,
                                     .optimizer = {.rule = AdagradSpec{.learning_rate = 0.2F}},
                                     .initializer = NormalSpec{.mean = 0, .stddev = 0.01F},
                                     .linear_columns = 1}));
  LONGTAIL_ASSIGN_OR_RETURN(w.worker, cluster->Connect());
  LONGTAIL_ASSIGN_OR_RETURN(
      w.pipeline, device::StepPipeline::Make(device, {.limits = {.examples = options.batch,
                                                                 .fields = kFields,
                                                                 .keys = options.batch * kFields,
                                                                 .row_dim = kRowDim,
                                                                 .is_rounded = options.by_graph},
                                                      .room_count = 2}));
  if (options.by_graph) w.graphs = std::make_unique<device::StepGraphs>();
  LONGTAIL_ASSIGN_OR_RETURN(w.model,
                            SmallModel::Make(device, w.pipeline->compute(), options.batch));
  SmallTrainingResult result;
  for (std::uint32_t step = 0; step <= options.steps; ++step) {
    if (step < options.steps) LONGTAIL_RETURN_IF_ERROR(w.Begin(step, options.batch));
    if (step == 0) continue;
    LONGTAIL_ASSIGN_OR_RETURN(const double loss, w.Finish(step - 1));
    result.losses.push_back(loss);
  }
  LONGTAIL_ASSIGN_OR_RETURN(result.parameters, w.model->Parameters(w.pipeline->compute()));
  LONGTAIL_ASSIGN_OR_RETURN(const TableStatistics statistics, cluster->Statistics(w.table));
  result.table_hash = statistics.hash;
  if (w.graphs == nullptr) return result;
  if (!w.graphs->problem().empty()) return absl::InternalError(w.graphs->problem());
  result.graph_steps = w.graphs->counters().replays;
  return result;
}

}  // namespace longtail::cli
