#include "reference_model.h"

#include <algorithm>
#include <cmath>

#include "examples/common/nn/counter_random.h"
#include "examples/common/nn/dropout.h"

namespace longtail::examples {
namespace {

using Rows = std::vector<std::vector<double>>;

std::size_t Columns(const Rows& x) {
  return x.front().size();
}

/// The values of a tensor, or null if there is none of that name.
const double* Values(const ReferenceInput& in, const std::string& name) {
  const Tensor* tensor = in.layout.Find(name);
  return tensor == nullptr ? nullptr : in.parameters.data() + tensor->offset;
}

// The mask is the model's own; all else about dropout is done here.
void DropOut(const ReferenceInput& in, float rate, const std::string& layer, Rows& x) {
  const Dropout dropout(rate, NameBits(layer));
  if (!dropout.active(in.context)) return;
  for (std::size_t e = 0; e < x.size(); ++e) {
    std::vector<float> mask(Columns(x), 1.0F);
    dropout.Apply(in.context, e, {mask.data(), 1, mask.size(), mask.size()});
    for (std::size_t j = 0; j < mask.size(); ++j) x[e][j] *= static_cast<double>(mask[j]);
  }
}

Rows Linear(const ReferenceInput& in, const std::string& name, const Rows& x, std::size_t outputs) {
  const double* weight = Values(in, name + ".weight");
  const double* bias = Values(in, name + ".bias");
  Rows y(x.size(), std::vector<double>(outputs));
  for (std::size_t e = 0; e < x.size(); ++e) {
    for (std::size_t o = 0; o < outputs; ++o) {
      y[e][o] = bias != nullptr ? bias[o] : 0;
      for (std::size_t i = 0; i < Columns(x); ++i) {
        y[e][o] += x[e][i] * weight[i * outputs + o];
      }
    }
  }
  return y;
}

void Normalise(const ReferenceInput& in, const std::string& name, Rows& x) {
  const auto count = static_cast<double>(x.size());
  const double* scale = Values(in, name + ".scale");
  const double* shift = Values(in, name + ".shift");
  for (std::size_t j = 0; j < Columns(x); ++j) {
    double mean = 0;
    double variance = 0;
    for (const auto& row : x) mean += row[j] / count;
    for (const auto& row : x) variance += (row[j] - mean) * (row[j] - mean) / count;
    for (auto& row : x) {
      row[j] = (row[j] - mean) / std::sqrt(variance + 1e-5) * scale[j] + shift[j];
    }
  }
}

Rows Mlp(const ReferenceInput& in, const std::string& name, Rows x,
         const std::vector<std::uint32_t>& hidden, float dropout) {
  for (std::size_t l = 0; l < hidden.size(); ++l) {
    const std::string layer = name + "." + std::to_string(l);
    x = Linear(in, layer, x, hidden[l]);
    if (in.spec.batch_norm) Normalise(in, layer + ".norm", x);
    for (auto& row : x) {
      for (double& value : row) value = std::max(value, 0.0);
    }
    DropOut(in, dropout, layer, x);
  }
  return x;
}

void AddHead(const ReferenceInput& in, const std::string& name, const Rows& x,
             std::vector<double>& logits) {
  const double* weight = Values(in, name + ".weight");
  for (std::size_t e = 0; e < x.size(); ++e) {
    for (std::size_t i = 0; i < Columns(x); ++i) {
      logits[e] += x[e][i] * weight[i];
    }
  }
}

double Weight(const Batch& batch, std::size_t key) {
  return batch.values.empty() ? 1 : static_cast<double>(batch.values[key]);
}

// [size, field_count * dim], and the linear sums into `logits` if rows have them.
Rows Embeddings(const ReferenceInput& in, std::size_t dim, std::vector<double>& logits) {
  const std::size_t fields = in.spec.field_count;
  const std::size_t skip = HasLinear(in.spec) ? 1 : 0;
  Rows x(in.batch.size, std::vector<double>(fields * dim));
  for (std::size_t e = 0; e < in.batch.size; ++e) {
    for (std::size_t f = 0; f < fields; ++f) {
      const std::size_t begin = in.batch.offsets[e * fields + f];
      const std::size_t end = in.batch.offsets[e * fields + f + 1];
      for (std::size_t key = begin; key < end; ++key) {
        const double* row = in.rows.data() + in.inverse[key] * (dim + skip);
        const double share =
            in.spec.pooling == Pooling::kMean ? 1 / static_cast<double>(end - begin) : 1;
        if (skip == 1) logits[e] += Weight(in.batch, key) * row[0];
        for (std::size_t d = 0; d < dim; ++d) {
          x[e][f * dim + d] += Weight(in.batch, key) * share * row[skip + d];
        }
      }
    }
  }
  return x;
}

Rows Numbers(const ReferenceInput& in) {
  Rows x(in.batch.size);
  for (std::size_t e = 0; e < x.size(); ++e) {
    for (std::size_t n = 0; n < in.spec.numeric_count; ++n) {
      x[e].push_back(static_cast<double>(in.batch.numeric[e * in.spec.numeric_count + n]));
    }
  }
  return x;
}

Rows Joined(Rows left, const Rows& right) {
  for (std::size_t e = 0; e < left.size(); ++e) {
    left[e].insert(left[e].end(), right[e].begin(), right[e].end());
  }
  return left;
}

/// The dot products of all pairs j < i of the `dim`-wide vectors of a row.
std::vector<double> Pairs(const std::vector<double>& row, std::size_t dim) {
  std::vector<double> products;
  for (std::size_t i = 1; i < row.size() / dim; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      double product = 0;
      for (std::size_t d = 0; d < dim; ++d) product += row[i * dim + d] * row[j * dim + d];
      products.push_back(product);
    }
  }
  return products;
}

void AddPairs(const ReferenceInput& in, const Rows& embeddings, std::vector<double>& logits) {
  Rows vectors = embeddings;
  const Rows numbers = Numbers(in);
  const double* embedding = Values(in, "numeric.embedding");
  for (std::size_t e = 0; e < vectors.size(); ++e) {
    if (embedding != nullptr) {
      for (std::size_t k = 0; k < in.spec.numeric_count * in.spec.dim; ++k) {
        vectors[e].push_back(numbers[e][k / in.spec.dim] * embedding[k]);
      }
    }
    for (const double product : Pairs(vectors[e], in.spec.dim)) logits[e] += product;
  }
}

void AddCross(const ReferenceInput& in, const Rows& x0, std::vector<double>& logits) {
  Rows x = x0;
  for (std::size_t l = 0; l < in.spec.cross_layers; ++l) {
    const Rows u = Linear(in, "cross." + std::to_string(l), x, Columns(x0));
    for (std::size_t e = 0; e < x.size(); ++e) {
      for (std::size_t j = 0; j < Columns(x); ++j) x[e][j] += x0[e][j] * u[e][j];
    }
  }
  AddHead(in, "cross.logit", x, logits);
}

void AddDlrm(const ReferenceInput& in, const Rows& embeddings, std::vector<double>& logits) {
  const Rows bottom = Mlp(in, "bottom", Numbers(in), in.spec.bottom, 0);
  const Rows vectors = Joined(bottom, embeddings);
  Rows interactions = bottom;
  for (std::size_t e = 0; e < vectors.size(); ++e) {
    for (const double product : Pairs(vectors[e], in.spec.dim)) interactions[e].push_back(product);
  }
  AddHead(in, "top.logit", Mlp(in, "top", interactions, in.spec.hidden, in.spec.dropout), logits);
}

}  // namespace

std::vector<double> ReferenceLogits(const ReferenceInput& in) {
  const ModelKind kind = KindOf(in.spec);
  std::vector<double> logits(in.batch.size, *Values(in, "bias"));
  Rows embeddings = Embeddings(in, kind == ModelKind::kLr ? 0 : in.spec.dim, logits);
  DropOut(in, in.spec.embedding_dropout, "embeddings", embeddings);
  if (kind == ModelKind::kDlrm) {
    AddDlrm(in, embeddings, logits);
    return logits;
  }
  const Rows x = Joined(embeddings, Numbers(in));
  if (kind == ModelKind::kDcnV2) {
    AddCross(in, x, logits);
  } else if (in.spec.numeric_count > 0) {
    AddHead(in, "numeric", Numbers(in), logits);
  }
  if (kind == ModelKind::kFm || kind == ModelKind::kDeepFm) AddPairs(in, embeddings, logits);
  if (kind == ModelKind::kWideDeep || kind == ModelKind::kDeepFm || kind == ModelKind::kDcnV2) {
    AddHead(in, "mlp.logit", Mlp(in, "mlp", x, in.spec.hidden, in.spec.dropout), logits);
  }
  return logits;
}

}  // namespace longtail::examples
