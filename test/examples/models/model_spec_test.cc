#include "examples/ctr/models/model_spec.h"

#include <catch2/catch.hpp>
#include <functional>
#include <string>

#include "model_work.h"

namespace longtail::examples {
namespace {

TEST_CASE("a wrong spec is refused by the field, its value and what was wanted",
          "[models][model_spec]") {
  struct Case {
    std::string want;
    std::string name;
    std::function<void(ModelSpec&)> spoil;
  };
  const Case bad = GENERATE(values<Case>({
      {"model 'gbdt': name gbdt: want lr, fm, wide_deep, deepfm, dcn_v2 or dlrm", "gbdt",
       [](ModelSpec&) {}},
      {"model 'lr': field_count 0: want 1..65536", "lr",
       [](ModelSpec& spec) { spec.field_count = 0; }},
      {"model 'fm': dim 0: want 1..1024", "fm", [](ModelSpec& spec) { spec.dim = 0; }},
      {"model 'fm': field_count * dim 204800: want 1..65536", "fm",
       [](ModelSpec& spec) { spec.dim = 1024, spec.field_count = 200; }},
      {"model 'deepfm': batch_max 0: want 1..1048576", "deepfm",
       [](ModelSpec& spec) { spec.batch_max = 0; }},
      {"model 'deepfm': dropout 1: want at least 0 and below 1", "deepfm",
       [](ModelSpec& spec) { spec.dropout = 1; }},
      {"model 'wide_deep': hidden layer count 0: want 1..32", "wide_deep",
       [](ModelSpec& spec) { spec.hidden.clear(); }},
      {"model 'deepfm': hidden width 0: want 1..65536", "deepfm",
       [](ModelSpec& spec) {
         spec.hidden = {3, 0};
       }},
      {"model 'dcn_v2': cross_layers 33: want 1..32", "dcn_v2",
       [](ModelSpec& spec) { spec.cross_layers = 33; }},
      {"model 'dlrm': numeric_count 0: want 1..65536", "dlrm",
       [](ModelSpec& spec) { spec.numeric_count = 0; }},
      {"model 'dlrm': last bottom width 9: want dim, 5, so that it interacts with the embeddings",
       "dlrm", [](ModelSpec& spec) { spec.bottom = {9}; }},
  }));
  ModelSpec spec = SmallSpec(bad.name);
  bad.spoil(spec);

  const absl::Status status = Validate(spec);

  CHECK(status.code() == absl::StatusCode::kInvalidArgument);
  CHECK(std::string(status.message()) == bad.want);
  CHECK(MakeModelParameters(spec, 1).status() == status);
}

TEST_CASE("rows are as wide as the model's embedding, and one more with a linear weight",
          "[models][model_spec]") {
  CHECK(RowDim(SmallSpec("lr")) == 1);
  CHECK(RowDim(SmallSpec("fm")) == 6);
  CHECK(RowDim(SmallSpec("wide_deep")) == 6);
  CHECK(RowDim(SmallSpec("deepfm")) == 6);
  CHECK(RowDim(SmallSpec("dcn_v2")) == 5);
  CHECK(RowDim(SmallSpec("dlrm")) == 5);
}

TEST_CASE("a model refuses parameters made for another spec", "[models][model_spec]") {
  const ModelParameters other = MakeDenseParameters(SmallSpec("deepfm"), 1);
  const auto gemm = MakeOpenBlasGemm();

  const auto model = MakeModel(SmallSpec("dcn_v2"), other, *gemm);

  CHECK(model.status().code() == absl::StatusCode::kInvalidArgument);
}

TEST_CASE("a batch of another shape than the spec's is refused", "[models][model_spec]") {
  struct Case {
    std::string want;
    std::function<void(ModelWork&)> spoil;
  };
  const Case bad = GENERATE(values<Case>({
      {"model: batch size 65: want at most batch_max, 64", [](ModelWork& w) { w.batch.size = 65; }},
      {"model: batch field_count 4: want 3", [](ModelWork& w) { w.batch.field_count = 4; }},
      {"model: batch numeric_count 1: want 2", [](ModelWork& w) { w.batch.numeric_count = 1; }},
      {"model: batch numeric size 9: want 10", [](ModelWork& w) { w.batch.numeric.pop_back(); }},
      {"model: batch offsets size 15: want 16", [](ModelWork& w) { w.batch.offsets.pop_back(); }},
      {"model: batch values size 1: want 15", [](ModelWork& w) { w.batch.values = {1}; }},
      {"model: inverse size 14: want 15", [](ModelWork& w) { w.inverse.pop_back(); }},
      {"model: floats of rows past whole rows 5: want 0", [](ModelWork& w) { w.rows.pop_back(); }},
  }));
  const ModelSpec spec = SmallSpec("deepfm");
  const ModelParameters shared = MakeDenseParameters(spec, 1);
  const auto model = MakeTestModel(spec, shared);
  ModelWork work = MakeModelWork(spec, 5, Filling::kSingle, 1);
  bad.spoil(work);
  std::vector<float> logits(5);

  const absl::Status status = model->Forward(work.input(), {.training = true}, logits);

  CHECK(status.code() == absl::StatusCode::kInvalidArgument);
  CHECK(std::string(status.message()) == bad.want);
}

TEST_CASE("backward without a training forward, or into wrong spans, is refused",
          "[models][model_spec]") {
  const ModelSpec spec = SmallSpec("deepfm");
  const ModelParameters shared = MakeDenseParameters(spec, 1);
  const auto model = MakeTestModel(spec, shared);
  const ModelWork work = MakeModelWork(spec, 5, Filling::kSingle, 1);
  std::vector<float> logits(5);
  std::vector<float> row_gradients(work.rows.size());
  std::vector<float> gradients(model->layout().size());

  CHECK(model->Backward(logits, row_gradients, gradients).code() ==
        absl::StatusCode::kFailedPrecondition);
  REQUIRE(model->Forward(work.input(), {.training = false}, logits).ok());
  CHECK(model->Backward(logits, row_gradients, gradients).code() ==
        absl::StatusCode::kFailedPrecondition);
  REQUIRE(model->Forward(work.input(), {.training = true}, logits).ok());
  CHECK(model->Backward(logits, row_gradients, gradients).ok());
  row_gradients.pop_back();
  CHECK(model->Backward(logits, row_gradients, gradients).code() ==
        absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace longtail::examples
