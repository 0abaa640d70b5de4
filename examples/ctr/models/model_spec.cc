#include "examples/ctr/models/model_spec.h"

#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"

namespace longtail::examples {
namespace {

constexpr std::array<std::pair<std::string_view, ModelKind>, 6> kNames = {{
    {"lr", ModelKind::kLr},
    {"fm", ModelKind::kFm},
    {"wide_deep", ModelKind::kWideDeep},
    {"deepfm", ModelKind::kDeepFm},
    {"dcn_v2", ModelKind::kDcnV2},
    {"dlrm", ModelKind::kDlrm},
}};

std::optional<ModelKind> FindKind(std::string_view name) {
  for (const auto& [known, kind] : kNames) {
    if (known == name) return kind;
  }
  return std::nullopt;
}

template <typename Value>
absl::Status Wrong(const ModelSpec& spec, std::string_view field, Value value,
                   std::string_view wanted) {
  return absl::InvalidArgumentError(absl::StrCat("model '", spec.name, "': ", std::string(field),
                                                 " ", value, ": want ", std::string(wanted)));
}

absl::Status CheckRange(const ModelSpec& spec, std::string_view field, std::size_t value,
                        std::pair<std::size_t, std::size_t> range) {
  if (value >= range.first && value <= range.second) return absl::OkStatus();
  return Wrong(spec, field, value, absl::StrCat(range.first, "..", range.second));
}

absl::Status CheckLayers(const ModelSpec& spec, std::string_view field,
                         const std::vector<std::uint32_t>& widths) {
  absl::Status status =
      CheckRange(spec, std::string(field) + " layer count", widths.size(), {1, kLayerCountMax});
  for (const std::uint32_t width : widths) {
    status.Update(CheckRange(spec, std::string(field) + " width", width, {1, kLayerWidthMax}));
  }
  return status;
}

absl::Status CheckRate(const ModelSpec& spec, std::string_view field, float rate) {
  if (rate >= 0 && rate < 1) return absl::OkStatus();
  return Wrong(spec, field, rate, "at least 0 and below 1");
}

absl::Status CheckDlrm(const ModelSpec& spec) {
  absl::Status status = CheckLayers(spec, "bottom", spec.bottom);
  status.Update(CheckRange(spec, "numeric_count", spec.numeric_count, {1, kLayerWidthMax}));
  if (status.ok() && spec.bottom.back() != spec.dim) {
    return Wrong(spec, "last bottom width", spec.bottom.back(),
                 absl::StrCat("dim, ", spec.dim, ", so that it interacts with the embeddings"));
  }
  return status;
}

}  // namespace

absl::Status Validate(const ModelSpec& spec) {
  const std::optional<ModelKind> kind = FindKind(spec.name);
  if (!kind) return Wrong(spec, "name", spec.name, "lr, fm, wide_deep, deepfm, dcn_v2 or dlrm");
  absl::Status status = CheckRange(spec, "field_count", spec.field_count, {1, kLayerWidthMax});
  status.Update(CheckRange(spec, "numeric_count", spec.numeric_count, {0, kLayerWidthMax}));
  status.Update(CheckRange(spec, "batch_max", spec.batch_max, {1, kMicroBatchMax}));
  status.Update(CheckRate(spec, "dropout", spec.dropout));
  status.Update(CheckRate(spec, "embedding_dropout", spec.embedding_dropout));
  if (!status.ok() || *kind == ModelKind::kLr) return status;

  status.Update(CheckRange(spec, "dim", spec.dim, {1, kEmbeddingDimMax}));
  status.Update(CheckRange(spec, "field_count * dim", std::size_t{spec.field_count} * spec.dim,
                           {1, kLayerWidthMax}));
  if (*kind != ModelKind::kFm) status.Update(CheckLayers(spec, "hidden", spec.hidden));
  if (*kind == ModelKind::kDcnV2) {
    status.Update(CheckRange(spec, "cross_layers", spec.cross_layers, {1, kLayerCountMax}));
  }
  if (*kind == ModelKind::kDlrm) status.Update(CheckDlrm(spec));
  return status;
}

ModelKind KindOf(const ModelSpec& spec) {
  return FindKind(spec.name).value_or(ModelKind::kLr);
}

bool HasLinear(const ModelSpec& spec) {
  const ModelKind kind = KindOf(spec);
  return kind == ModelKind::kDcnV2 ? spec.linear : kind != ModelKind::kDlrm;
}

std::uint32_t RowDim(const ModelSpec& spec) {
  const ModelKind kind = KindOf(spec);
  if (kind == ModelKind::kLr) return 1;
  return spec.dim + (HasLinear(spec) ? 1 : 0);
}

}  // namespace longtail::examples
