#include "examples/ctr/onnx/onnx_model.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "examples/ctr/onnx/onnx_graph.h"

namespace longtail::examples {
namespace {

constexpr float kBatchNormEpsilon = 1e-5F;  // BatchNorm's.

// One model on its way. The first parameter that is missing is remembered; what follows is then of
// no use and not given out.
class Builder {
 public:
  Builder(const ModelSpec& spec, const ModelParameters& parameters)
      : spec_(spec),
        parameters_(parameters),
        kind_(KindOf(spec)),
        fields_(spec.field_count),
        dim_(kind_ == ModelKind::kLr ? 0 : static_cast<std::int64_t>(spec.dim)),
        graph_(spec.name),
        rows_(graph_.Input("rows", {fields_, static_cast<std::int64_t>(RowDim(spec))})) {
    if (spec.numeric_count > 0) {
      numbers_ = graph_.Input("numbers", {static_cast<std::int64_t>(spec.numeric_count)});
    }
    if (dim_ > 0) {
      vectors_ = HasLinear(spec) ? graph_.Columns(rows_, 1, dim_ + 1, 2) : rows_;
    }
  }

  absl::StatusOr<std::string> Run() {
    std::string logit = Parameter("bias");
    if (HasLinear(spec_)) logit = Add(logit, graph_.Sum(graph_.Columns(rows_, 0, 1, 2), {1, 2}));
    switch (kind_) {
      case ModelKind::kDcnV2:
        logit = Add(logit, DcnV2());
        break;
      case ModelKind::kDlrm:
        logit = Add(logit, Dlrm());
        break;
      case ModelKind::kLr:
      case ModelKind::kFm:
      case ModelKind::kWideDeep:
      case ModelKind::kDeepFm:
        logit = FactorModel(std::move(logit));
        break;
    }
    LONGTAIL_RETURN_IF_ERROR(status_);
    graph_.Output("logit", logit);
    graph_.Output("probability", graph_.Node("Sigmoid", {logit}));
    return graph_.Serialize(absl::StrCat(
        "Longtail, model ", spec_.name, ". rows: of each of ", fields_,
        " fields the pooled row, as the table has it; numbers: as the training's data have them."));
  }

 private:
  // A tensor of either layout, in the graph under its own name.
  std::string Parameter(const std::string& name) {
    for (const Parameters* parameters : {&parameters_.trained, &parameters_.state}) {
      const Tensor* const tensor = parameters->layout().Find(name);
      if (tensor == nullptr) continue;
      std::vector<std::int64_t> shape(tensor->shape.begin(), tensor->shape.end());
      return graph_.Floats(name, std::move(shape), parameters->Values(name));
    }
    status_.Update(absl::InvalidArgumentError(
        absl::StrCat("export-onnx: model '", spec_.name, "': no parameter '", name, "'")));
    return name;
  }

  std::string Add(const std::string& a, const std::string& b) { return graph_.Node("Add", {a, b}); }

  // x . w as [batch].
  std::string Head(const std::string& name, const std::string& x) {
    const std::string product = graph_.Node("MatMul", {x, Parameter(name + ".weight")});
    return graph_.Node("Squeeze", {product, graph_.Integers({1})});
  }

  std::string Mlp(const std::string& name, std::size_t layers, std::string x) {
    for (std::size_t l = 0; l < layers; ++l) {
      const std::string layer = absl::StrCat(name, ".", l);
      if (spec_.batch_norm) {
        x = graph_.Node("MatMul", {x, Parameter(layer + ".weight")});
        x = graph_.Node("BatchNormalization",
                        {x, Parameter(layer + ".norm.scale"), Parameter(layer + ".norm.shift"),
                         Parameter(layer + ".norm.mean"), Parameter(layer + ".norm.variance")},
                        {{.name = "epsilon",
                          .number = kBatchNormEpsilon,
                          .kind = OnnxGraph::Attribute::Kind::kFloat}});
      } else {
        x = graph_.Node("Gemm", {x, Parameter(layer + ".weight"), Parameter(layer + ".bias")});
      }
      x = graph_.Node("Relu", {x});
    }
    return x;
  }

  // [embeddings, numbers], as wide as both.
  std::string Flat() {
    const std::string embeddings = graph_.Reshape(vectors_, {-1, fields_ * dim_});
    return numbers_.empty() ? embeddings : graph_.Join({embeddings, numbers_});
  }

  std::string FactorModel(std::string logit) {
    if (!numbers_.empty()) logit = Add(logit, Head("numeric", numbers_));
    if (kind_ == ModelKind::kFm || kind_ == ModelKind::kDeepFm) logit = Add(logit, Pairs());
    if (kind_ == ModelKind::kWideDeep || kind_ == ModelKind::kDeepFm) {
      logit = Add(logit, Head("mlp.logit", Mlp("mlp", spec_.hidden.size(), Flat())));
    }
    return logit;
  }

  // 0.5 * sum over d of ((sum of v)^2 - sum of v^2).
  std::string Pairs() {
    std::string vectors = vectors_;
    if (spec_.numeric_embedding && !numbers_.empty()) {
      const std::string numbers = graph_.Node("Unsqueeze", {numbers_, graph_.Integers({2})});
      vectors =
          graph_.Join({vectors, graph_.Node("Mul", {numbers, Parameter("numeric.embedding")})});
    }
    const std::string sums = graph_.Sum(vectors, {1});
    const std::string squares = graph_.Sum(graph_.Node("Mul", {vectors, vectors}), {1});
    const std::string difference = graph_.Node("Sub", {graph_.Node("Mul", {sums, sums}), squares});
    const float half = 0.5F;
    return graph_.Node(
        "Mul", {graph_.Sum(difference, {1}), graph_.Floats("half", {}, std::span(&half, 1))});
  }

  std::string DcnV2() {
    const std::string x0 = Flat();
    std::string x = x0;
    for (std::uint32_t l = 0; l < spec_.cross_layers; ++l) {
      const std::string layer = absl::StrCat("cross.", l);
      const std::string product =
          graph_.Node("Gemm", {x, Parameter(layer + ".weight"), Parameter(layer + ".bias")});
      x = Add(graph_.Node("Mul", {x0, product}), x);
    }
    return Add(Head("cross.logit", x), Head("mlp.logit", Mlp("mlp", spec_.hidden.size(), x0)));
  }

  std::string Dlrm() {
    const std::string bottom = Mlp("bottom", spec_.bottom.size(), numbers_);
    const std::string vectors = graph_.Join({graph_.Reshape(bottom, {-1, 1, dim_}), vectors_});
    const std::string across = graph_.Node(
        "Transpose", {vectors},
        {{.name = "perm", .integers = {0, 2, 1}, .kind = OnnxGraph::Attribute::Kind::kIntegers}});
    const std::int64_t count = fields_ + 1;
    const std::string products =
        graph_.Reshape(graph_.Node("MatMul", {vectors, across}), {-1, count * count});
    std::vector<std::int64_t> triangle;  // DotInteraction's order.
    for (std::int64_t i = 1; i < count; ++i) {
      for (std::int64_t j = 0; j < i; ++j) triangle.push_back(i * count + j);
    }
    const std::string pairs = graph_.Node("Gather", {products, graph_.Integers(triangle)},
                                          {{.name = "axis", .integers = {1}}});
    return Head("top.logit", Mlp("top", spec_.hidden.size(), graph_.Join({bottom, pairs})));
  }

  const ModelSpec& spec_;
  const ModelParameters& parameters_;
  const ModelKind kind_;
  const std::int64_t fields_;
  const std::int64_t dim_;  // Of the embeddings; 0: there are none.
  OnnxGraph graph_;
  const std::string rows_;
  std::string numbers_;
  std::string vectors_;  // [batch, fields, dim]
  absl::Status status_;
};

}  // namespace

absl::StatusOr<std::string> EncodeOnnxModel(const ModelSpec& spec,
                                            const ModelParameters& parameters) {
  LONGTAIL_RETURN_IF_ERROR(Validate(spec));
  return Builder(spec, parameters).Run();
}

}  // namespace longtail::examples
