// Training throughput of the dense half of DeepFM and DLRM on one thread, beside what its matrix
// products alone would allow.
//
// The models run on synthetic batches (single-valued fields, keys of a skewed distribution), with
// rows in memory: pulling and pushing them is no part of this. The limit repeats the very same
// products, recorded from a step, over the same number of operands. Rounds of both alternate, so
// that a busy machine spoils both alike; medians of the thread's processor time are printed.
#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "examples/common/nn/counter_random.h"
#include "examples/common/nn/dense_optimizer.h"
#include "examples/common/nn/dot_interaction.h"
#include "examples/common/nn/logistic_loss.h"
#include "examples/ctr/models/model.h"

namespace longtail::examples {
namespace {

constexpr int kRounds = 9;
constexpr std::size_t kBatchSize = 4096;

// Processor time of this thread: what other processes take is not counted.
double Now() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double Median(std::vector<double> values) {
  std::ranges::nth_element(values, values.begin() + static_cast<long>(values.size() / 2));
  return values[values.size() / 2];
}

/// Passes products on and keeps their time, and on demand the calls.
class TimedGemm final : public Gemm {
 public:
  explicit TimedGemm(const Gemm& gemm) : gemm_(gemm) {}

  void Multiply(const GemmCall& call) const override {
    if (recording) calls.push_back(call);
    const double begin = Now();
    gemm_.Multiply(call);
    seconds += Now() - begin;
  }

  mutable double seconds = 0;
  mutable std::vector<GemmCall> calls;
  bool recording = false;

 private:
  const Gemm& gemm_;
};

/// A batch of keys, its distinct rows, and buffers for gradients.
struct Work {
  Batch batch;
  std::vector<float> rows;
  std::vector<std::uint32_t> inverse;
  std::vector<float> logits = std::vector<float>(kBatchSize);
  std::vector<float> logit_gradients = std::vector<float>(kBatchSize);
  std::vector<float> row_gradients;
};

// Each field has its own rows, drawn with a density of about 1 / rank.
Work MakeWork(const ModelSpec& spec) {
  constexpr double kFieldRows = 2000;
  Work work;
  work.batch.size = kBatchSize;
  work.batch.field_count = spec.field_count;
  work.batch.numeric_count = spec.numeric_count;
  std::uint64_t draw = 0;
  const auto uniform = [&] { return UnitUniform(ScrambledBits(draw++)); };
  for (std::size_t e = 0; e < kBatchSize; ++e) {
    work.batch.labels.push_back(uniform() < 0.25F ? 1.0F : 0.0F);
    for (std::uint32_t n = 0; n < spec.numeric_count; ++n) work.batch.numeric.push_back(uniform());
    for (std::uint32_t f = 0; f < spec.field_count; ++f) {
      const double rank = std::pow(kFieldRows, static_cast<double>(uniform())) - 1;
      const auto row = static_cast<std::uint32_t>(f * kFieldRows + rank);
      work.batch.offsets.push_back(static_cast<std::uint32_t>(work.batch.keys.size()));
      work.batch.keys.push_back(row);
      work.inverse.push_back(row);
    }
  }
  work.batch.offsets.push_back(static_cast<std::uint32_t>(work.batch.keys.size()));
  // Only rows that occur, numbered by first occurrence, as a worker's deduplication gives them.
  std::vector<std::uint32_t> number(static_cast<std::size_t>(spec.field_count * kFieldRows), 0);
  std::uint32_t count = 0;
  for (std::uint32_t& row : work.inverse) {
    if (number[row] == 0) number[row] = ++count;
    row = number[row] - 1;
  }
  work.rows.resize(std::size_t{count} * RowDim(spec));
  for (float& value : work.rows) value = 0.02F * uniform() - 0.01F;
  work.row_gradients.resize(work.rows.size());
  return work;
}

void Check(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  std::exit(1);
}

template <typename Value>
Value Must(absl::StatusOr<Value> value) {
  Check(value.status());
  return *std::move(value);
}

/// Seconds of the parts of a step.
struct Seconds {
  std::vector<double> forward, backward, adam, gemm, limit;
};

void Report(const ModelSpec& spec, const Seconds& seconds, std::size_t parameter_count) {
  const double step = Median(seconds.forward) + Median(seconds.backward) + Median(seconds.adam);
  const double limit = Median(seconds.limit);
  const auto rate = [](double time) { return static_cast<double>(kBatchSize) / time; };
  std::printf(
      "%-9s %8.0f samples/s; products alone %8.0f; ratio %.3f; in products %.3f of the step\n",
      spec.name.c_str(), rate(step), rate(limit), limit / step, Median(seconds.gemm) / step);
  std::printf("          forward %.2f ms, backward %.2f ms, Adam %.2f ms of %zu parameters\n",
              Median(seconds.forward) * 1e3, Median(seconds.backward) * 1e3,
              Median(seconds.adam) * 1e3, parameter_count);
}

void Run(const ModelSpec& spec) {
  const std::unique_ptr<Gemm> blas = MakeOpenBlasGemm();
  TimedGemm gemm(*blas);
  ModelParameters parameters = Must(MakeModelParameters(spec, 1));
  const std::unique_ptr<Model> model = Must(MakeModel(spec, parameters, gemm));
  const ParameterLayout& layout = parameters.trained.layout();
  const auto optimizer = Must(DenseOptimizer::Make({.rule = DenseAdam{}}, layout));
  AlignedBuffer gradients(layout.size());
  Work work = MakeWork(spec);
  const SparseInput input{&work.batch, work.rows, work.inverse};
  Seconds seconds;

  for (int round = -2; round < kRounds; ++round) {
    gemm.recording = round == -2;
    gemm.seconds = 0;
    const StepContext context{.training = true, .seed = 1, .step = optimizer->step()};
    const double t0 = Now();
    Check(model->Forward(input, context, work.logits));
    LogisticLoss(work.logits, work.batch.labels, 1.0F / kBatchSize, work.logit_gradients);
    const double t1 = Now();
    Check(model->Backward(work.logit_gradients, work.row_gradients, gradients.span()));
    const double t2 = Now();
    optimizer->BeginStep(1);
    optimizer->Update({0, layout.size()}, gradients.span(), parameters.trained.values());
    const double t3 = Now();
    // The recorded operands are the model's own buffers: same shapes, same memory. Weights are
    // only read; what is written is activations and gradients that the next step writes anew.
    for (const GemmCall& call : gemm.calls) blas->Multiply(call);
    const double t4 = Now();
    if (round < 0) continue;
    seconds.forward.push_back(t1 - t0);
    seconds.backward.push_back(t2 - t1);
    seconds.adam.push_back(t3 - t2);
    seconds.gemm.push_back(gemm.seconds);
    seconds.limit.push_back(t4 - t3);
  }
  Report(spec, seconds, layout.size());
}

// The one layer that is neither a product of matrices nor a pass over a row.
void RunDotInteraction() {
  constexpr std::size_t kVectors = 27;
  constexpr std::size_t kDim = 16;
  constexpr std::size_t kRows = 512;  // A block: it stays in the cache, as in the model.
  constexpr int kRepeats = 200;
  DotInteraction interaction(kVectors, kDim);
  MatrixBuffer v(kRows, kVectors * kDim);
  MatrixBuffer dv(kRows, kVectors * kDim);
  MatrixBuffer y(kRows, interaction.outputs());
  for (std::size_t i = 0; i < kRows; ++i) {
    for (std::size_t j = 0; j < kVectors * kDim; ++j) {
      v.view().row(i)[j] = UnitUniform(ScrambledBits(i * kVectors * kDim + j));
    }
  }
  std::vector<double> forward;
  std::vector<double> backward;
  for (int i = 0; i < kRepeats; ++i) {
    const double t0 = Now();
    interaction.Forward(v.view(), y.view());
    const double t1 = Now();
    interaction.Backward(v.view(), y.view(), dv.view());
    forward.push_back(t1 - t0);
    backward.push_back(Now() - t1);
  }
  std::printf("dot interaction of %zu vectors of %zu: forward %.3f us, backward %.3f us a sample\n",
              kVectors, kDim, Median(forward) / kRows * 1e6, Median(backward) / kRows * 1e6);
}

}  // namespace
}  // namespace longtail::examples

int main() {
  using longtail::examples::ModelSpec;
  std::printf("batch %zu, one thread, OpenBLAS kernels: %s\n", longtail::examples::kBatchSize,
              longtail::examples::OpenBlasCoreName());
  ModelSpec deepfm;
  deepfm.field_count = 26;
  deepfm.numeric_count = 13;
  deepfm.hidden = {400, 400, 400};
  longtail::examples::Run(deepfm);
  ModelSpec dlrm = deepfm;
  dlrm.name = "dlrm";
  dlrm.hidden = {96, 32};
  dlrm.bottom = {64, 16};
  longtail::examples::Run(dlrm);
  longtail::examples::RunDotInteraction();
  return 0;
}
