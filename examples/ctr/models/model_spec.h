// Which model, and how wide and deep.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "examples/ctr/models/field_gather.h"

namespace longtail::examples {

enum class ModelKind : std::uint8_t { kLr, kFm, kWideDeep, kDeepFm, kDcnV2, kDlrm };

/// The widest embedding, layer or input accepted, in floats, and the longest stack.
inline constexpr std::uint32_t kEmbeddingDimMax = 1024;
inline constexpr std::uint32_t kLayerWidthMax = 65536;
inline constexpr std::uint32_t kLayerCountMax = 32;

/// The largest micro-batch accepted.
inline constexpr std::size_t kMicroBatchMax = 1U << 20;

/// What a name does not use is ignored: an "lr" with hidden sizes is still an "lr".
struct ModelSpec {
  std::string name = "deepfm";          ///< lr, fm, wide_deep, deepfm, dcn_v2 or dlrm.
  std::uint32_t field_count = 0;        ///< Categorical fields of a batch, at least 1.
  std::uint32_t numeric_count = 0;      ///< Numbers of a batch.
  std::uint32_t dim = 16;               ///< Of an embedding; not used by lr.
  std::vector<std::uint32_t> hidden{};  ///< The MLP's (DLRM: top MLP's) layers before the logit.
  std::vector<std::uint32_t> bottom{};  ///< DLRM's bottom MLP; the last must be dim.
  std::uint32_t cross_layers = 3;       ///< DCN-v2's.
  float dropout = 0;                    ///< Behind each hidden layer.
  float embedding_dropout = 0;          ///< On the pooled embeddings, before all that reads them.
  bool linear = false;                  ///< dcn_v2: rows also have a first-order weight.
  bool batch_norm = false;              ///< In the hidden layers, before the ReLU.
  bool numeric_embedding = false;       ///< fm, deepfm: each number times a dense vector interacts.
  Pooling pooling = Pooling::kMean;
  std::size_t batch_max = 4096;  ///< Examples of the largest micro-batch; decides the memory.
};

/// Errors: InvalidArgument, naming the field, its value and what was wanted.
absl::Status Validate(const ModelSpec& spec);

/// The kind of a valid spec.
ModelKind KindOf(const ModelSpec& spec);

/// Whether the rows of a valid spec have a linear weight in column 0.
bool HasLinear(const ModelSpec& spec);

/// Floats of a row of a valid spec: 1 for lr, 1 + dim with a linear weight, else dim.
std::uint32_t RowDim(const ModelSpec& spec);

}  // namespace longtail::examples
