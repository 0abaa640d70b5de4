#include "bench/gemm_limit.h"

#include <algorithm>
#include <chrono>

#include "examples/common/nn/counter_random.h"
#include "examples/ctr/models/model.h"

namespace longtail::bench {
namespace {

using examples::Matrix;
using examples::MatrixBuffer;
using examples::Transpose;

double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Numbers of the size that activations have: denormals or zeros could be faster or slower.
MatrixBuffer Filled(std::size_t rows, std::size_t columns) {
  MatrixBuffer buffer(rows, columns);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j) {
      buffer.view().row(i)[j] =
          examples::UnitUniform(examples::ScrambledBits(i * columns + j)) - 0.5F;
    }
  }
  return buffer;
}

}  // namespace

GemmLimit::GemmLimit(const examples::ModelSpec& spec, std::size_t batch)
    : batch_(batch),
      gemm_(examples::MakeOpenBlasGemm()),
      ways_({{.rows = std::min(examples::kBlockRows, batch)}, {.rows = batch}}) {
  const auto add = [&](std::size_t inputs, const std::vector<std::uint32_t>& hidden,
                       bool first_wants_gradients) {
    bool wants = first_wants_gradients;
    for (const std::uint32_t width : hidden) {
      layers_.push_back({.inputs = inputs, .outputs = width, .wants_input_gradients = wants});
      inputs = width;
      wants = true;
    }
  };
  const std::size_t embeddings = std::size_t{spec.field_count} * spec.dim;
  if (examples::KindOf(spec) == examples::ModelKind::kDlrm) {
    const std::size_t pairs = std::size_t{spec.field_count} * (spec.field_count + 1) / 2;
    add(spec.numeric_count, spec.bottom, false);
    add(spec.dim + pairs, spec.hidden, true);
  } else {
    add(embeddings + spec.numeric_count, spec.hidden, true);
  }
  for (const Layer& layer : layers_) {
    activations_.push_back(Filled(batch, layer.inputs));
    activations_.push_back(Filled(batch, layer.outputs));
    gradients_.push_back(Filled(batch, layer.inputs));
    gradients_.push_back(Filled(batch, layer.outputs));
    weights_.push_back(Filled(layer.inputs, layer.outputs));
    weight_gradients_.push_back(MatrixBuffer(layer.inputs, layer.outputs));
    const std::size_t products = layer.wants_input_gradients ? 3 : 2;
    flops_per_sample_ += 2.0 * static_cast<double>(products * layer.inputs * layer.outputs);
  }
}

void GemmLimit::Step(Way& way) {
  const double begin = Now();
  for (std::size_t first = 0; first < batch_; first += way.rows) {
    const std::size_t rows = std::min(way.rows, batch_ - first);
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      gemm_->Multiply({.a = activations_[2 * l].view().Rows(first, rows),
                       .b = weights_[l].view(),
                       .c = activations_[2 * l + 1].view().Rows(first, rows)});
    }
  }
  for (std::size_t first = 0; first < batch_; first += way.rows) {
    const std::size_t rows = std::min(way.rows, batch_ - first);
    for (std::size_t l = layers_.size(); l-- > 0;) {
      const Matrix dy = gradients_[2 * l + 1].view().Rows(first, rows);
      gemm_->Multiply({.transpose_a = Transpose::kYes,
                       .a = activations_[2 * l].view().Rows(first, rows),
                       .b = dy,
                       .c = weight_gradients_[l].view(),
                       .beta = first == 0 ? 0.0F : 1.0F});
      if (!layers_[l].wants_input_gradients) continue;
      gemm_->Multiply({.transpose_b = Transpose::kYes,
                       .a = dy,
                       .b = weights_[l].view(),
                       .c = gradients_[2 * l].view().Rows(first, rows)});
    }
  }
  way.seconds += Now() - begin;
  way.samples += batch_;
}

void GemmLimit::Measure(double seconds) {
  const double end = Now() + seconds;
  do {
    for (Way& way : ways_) Step(way);
  } while (Now() < end);
}

double GemmLimit::samples_per_second() const {
  double best = 0;
  for (const Way& way : ways_) {
    if (way.seconds > 0) best = std::max(best, static_cast<double>(way.samples) / way.seconds);
  }
  return best;
}

}  // namespace longtail::bench
