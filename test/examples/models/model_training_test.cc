#include <catch2/catch.hpp>
#include <cmath>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "examples/common/nn/batch_norm.h"
#include "examples/common/nn/dense_optimizer.h"
#include "examples/common/nn/logistic_loss.h"
#include "model_work.h"
#include "support/alloc_count.h"

namespace longtail::examples {
namespace {

/// Gradients of a batch's mean loss.
struct Gradients {
  std::vector<float> logits;
  std::vector<float> rows;
  std::vector<float> dense;
};

Gradients Compute(Model& model, const ModelWork& work, const StepContext& context, float scale) {
  Gradients result;
  result.logits.resize(work.batch.size);
  result.rows.resize(work.rows.size());
  result.dense.resize(model.layout().size());
  std::vector<float> logit_gradients(work.batch.size);
  REQUIRE(model.Forward(work.input(), context, result.logits).ok());
  LogisticLoss(result.logits, work.batch.labels, scale, logit_gradients);
  REQUIRE(model.Backward(logit_gradients, result.rows, result.dense).ok());
  return result;
}

void CheckSum(const std::vector<float>& whole, const std::vector<float>& left,
              const std::vector<float>& right) {
  REQUIRE(whole.size() == left.size());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    INFO(i);
    CHECK(whole[i] == Approx(left[i] + right[i]).epsilon(1e-4).margin(1e-6));
  }
}

TEST_CASE("two micro-batches add up to the gradients of the whole batch, dropout included",
          "[models]") {
  const std::string name = GENERATE("lr", "fm", "wide_deep", "deepfm", "dcn_v2", "dlrm");
  CAPTURE(name);
  ModelSpec spec = SmallSpec(name);
  spec.dropout = 0.25F;
  spec.embedding_dropout = 0.25F;
  spec.batch_max = 1100;  // More than one block of rows, and the last one short.
  const ModelParameters shared = MakeDenseParameters(spec, 3);
  const auto model = MakeTestModel(spec, shared);
  const ModelWork work = MakeModelWork(spec, 1100, Filling::kSeveralWeighted, 3);
  const float scale = 1.0F / 1100;

  const StepContext first{.training = true, .seed = 9, .step = 2, .first_example = 0};
  StepContext second = first;
  second.first_example = 700;
  const Gradients whole = Compute(*model, work, first, scale);
  const Gradients left = Compute(*model, Part(work, 0, 700), first, scale);
  const Gradients right = Compute(*model, Part(work, 700, 400), second, scale);

  CheckSum(whole.rows, left.rows, right.rows);
  CheckSum(whole.dense, left.dense, right.dense);
}

TEST_CASE("the loops for single-valued fields agree with those for any number of keys",
          "[models]") {
  const std::string name = GENERATE("lr", "fm", "wide_deep", "deepfm", "dcn_v2", "dlrm");
  const std::uint32_t dim = GENERATE(3U, 4U, 8U, 16U, 32U);
  CAPTURE(name, dim);
  ModelSpec spec = SmallSpec(name);
  spec.dim = dim;
  spec.bottom = {dim};
  const ModelParameters shared = MakeDenseParameters(spec, 4);
  const auto model = MakeTestModel(spec, shared);
  const ModelWork single = MakeModelWork(spec, 50, Filling::kSingle, 4);
  ModelWork any = single;
  any.batch.values.assign(any.batch.keys.size(), 1.0F);  // Which only the general loops read.
  REQUIRE(IsSingleValued(single.batch));
  REQUIRE_FALSE(IsSingleValued(any.batch));

  const Gradients fast = Compute(*model, single, {.training = true}, 0.1F);
  const Gradients slow = Compute(*model, any, {.training = true}, 0.1F);

  CHECK(fast.logits == slow.logits);
  CHECK(fast.rows == slow.rows);
  CHECK(fast.dense == slow.dense);
}

TEST_CASE("the same inputs give the same bits, whatever the model did before", "[models]") {
  const std::string name = GENERATE("lr", "fm", "wide_deep", "deepfm", "dcn_v2", "dlrm");
  CAPTURE(name);
  ModelSpec spec = SmallSpec(name);
  spec.dropout = 0.2F;
  spec.batch_norm = true;
  const ModelParameters shared = MakeDenseParameters(spec, 5);
  const auto fresh = MakeTestModel(spec, shared);
  const auto used = MakeTestModel(spec, shared);
  const ModelWork work = MakeModelWork(spec, 33, Filling::kSeveral, 5);
  const StepContext context{.training = true, .seed = 1, .step = 2, .first_example = 3};
  Compute(*used, MakeModelWork(spec, 64, Filling::kSeveral, 6), context, 0.5F);

  const Gradients one = Compute(*fresh, work, context, 0.1F);
  const Gradients two = Compute(*used, work, context, 0.1F);

  CHECK(one.logits == two.logits);
  CHECK(one.rows == two.rows);
  CHECK(one.dense == two.dense);
}

/// Does what is begun as late as it may, the last first.
class LateGemm final : public Gemm {
 public:
  ~LateGemm() override { CHECK(begun_.empty()); }

  void Multiply(const GemmCall& call) const override { gemm_->Multiply(call); }
  void Begin(const GemmCall& call) const override { begun_.push_back(call); }
  void Finish() const override {
    for (; !begun_.empty(); begun_.pop_back()) gemm_->Multiply(begun_.back());
  }

 private:
  const std::unique_ptr<Gemm> gemm_ = MakeOpenBlasGemm();
  mutable std::vector<GemmCall> begun_;
};

TEST_CASE("products that are begun give the same bits however late they are done", "[models]") {
  const std::string name = GENERATE("lr", "fm", "wide_deep", "deepfm", "dcn_v2", "dlrm");
  const bool batch_norm = GENERATE(false, true);
  CAPTURE(name, batch_norm);
  ModelSpec spec = SmallSpec(name);
  spec.dropout = 0.2F;
  spec.embedding_dropout = 0.2F;
  spec.batch_norm = batch_norm;
  spec.batch_max = 1100;  // More than one block of rows, and the last one short.
  const ModelParameters shared = MakeDenseParameters(spec, 7);
  const ModelWork work = MakeModelWork(spec, 1100, Filling::kSeveral, 7);
  const StepContext context{.training = true, .seed = 1, .step = 2, .first_example = 3};
  const LateGemm late_gemm;
  const auto late_model = MakeModel(spec, shared, late_gemm);
  REQUIRE(late_model.ok());

  const Gradients at_once = Compute(*MakeTestModel(spec, shared), work, context, 0.1F);
  const Gradients late = Compute(**late_model, work, context, 0.1F);

  CHECK(at_once.logits == late.logits);
  CHECK(at_once.rows == late.rows);
  CHECK(at_once.dense == late.dense);
}

TEST_CASE("warm steps allocate nothing", "[models]") {
  if (!test::CountsAllocations()) {
    std::puts("[skip] the thread sanitizer keeps operator new for itself");
    return;
  }
  const std::string name = GENERATE("lr", "fm", "wide_deep", "deepfm", "dcn_v2", "dlrm");
  const Filling filling = GENERATE(Filling::kSingle, Filling::kSeveralWeighted);
  CAPTURE(name, filling);
  ModelSpec spec = SmallSpec(name);
  spec.dropout = 0.2F;
  spec.batch_norm = true;
  ModelParameters shared = MakeDenseParameters(spec, 7);
  const auto model = MakeTestModel(spec, shared);
  const auto optimizer = DenseOptimizer::Make({.rule = DenseAdam{}}, model->layout());
  REQUIRE(optimizer.ok());
  const ModelWork work = MakeModelWork(spec, 64, filling, 7);
  Gradients buffers = Compute(*model, work, {.training = true}, 1);

  bool ok = true;
  const std::uint64_t before = test::AllocationCount();
  for (std::uint64_t step = 0; step < 20; ++step) {
    const StepContext context{.training = true, .seed = 1, .step = step};
    ok &= model->Forward(work.input(), context, buffers.logits).ok();
    LogisticLoss(buffers.logits, work.batch.labels, 1, buffers.logits);
    ok &= model->Backward(buffers.logits, buffers.rows, buffers.dense).ok();
    (*optimizer)->BeginStep(1);
    (*optimizer)->Update({0, buffers.dense.size()}, buffers.dense, shared.trained.values());
    MixRunningStatistics(model->state_update(), kRunningStatisticsMomentum, shared.state.values());
  }
  const std::uint64_t after = test::AllocationCount();

  CHECK(ok);
  CHECK(after == before);
}

TEST_CASE("training learns a batch, and evaluation sees it", "[models]") {
  const std::string name = GENERATE("lr", "fm", "wide_deep", "deepfm", "dcn_v2", "dlrm");
  const bool batch_norm = GENERATE(false, true);
  CAPTURE(name, batch_norm);
  ModelSpec spec = SmallSpec(name);
  spec.batch_norm = batch_norm;
  auto shared = MakeModelParameters(spec, 8);
  REQUIRE(shared.ok());
  const auto model = MakeTestModel(spec, *shared);
  const auto optimizer =
      DenseOptimizer::Make({.rule = DenseAdam{.learning_rate = 0.02F}}, model->layout());
  REQUIRE(optimizer.ok());
  ModelWork work = MakeModelWork(spec, 64, Filling::kSingle, 8);
  for (std::size_t e = 0; e < work.batch.size; ++e) {  // One key decides: any model can learn it.
    work.batch.labels[e] = work.inverse[e * spec.field_count] % 2 == 0 ? 1.0F : 0.0F;
  }
  const auto evaluate = [&] {
    std::vector<float> logits(work.batch.size);
    std::vector<float> unused(work.batch.size);
    REQUIRE(model->Forward(work.input(), {.training = false}, logits).ok());
    return LogisticLoss(logits, work.batch.labels, 1, unused) / 64;
  };

  const double before = evaluate();
  for (std::uint64_t step = 0; step < 300; ++step) {
    const Gradients g = Compute(*model, work, {.training = true, .step = step}, 1.0F / 64);
    (*optimizer)->BeginStep(1);
    (*optimizer)->Update({0, g.dense.size()}, g.dense, shared->trained.values());
    for (std::size_t i = 0; i < g.rows.size(); ++i) work.rows[i] -= 0.5F * g.rows[i];
    MixRunningStatistics(model->state_update(), 0.9F, shared->state.values());
  }
  const double after = evaluate();

  CHECK(after < 0.4);
  CHECK(after < 0.6 * before);
}

}  // namespace
}  // namespace longtail::examples
