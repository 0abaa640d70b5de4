#include "examples/recommender/factor_model.h"

#include <algorithm>
#include <cmath>

#include "base/status_macros.h"

namespace longtail::examples::recommender {
namespace {

constexpr std::size_t kKeysOfPull = 1 << 16;
constexpr std::size_t kPairsOfBlock = 1 << 13;
// Lower than any score of an item with a trained row.
constexpr float kUntrainedOffset = -1e6F;

}  // namespace

FactorModel::FactorModel(const RecommenderConfig& config, const Dataset& data)
    : config_(config),
      data_(data),
      keys_(data.names),
      gemm_(MakeOpenBlasGemm()),
      towers_(config.model, config.loss, data.mean_rating, *gemm_) {}

absl::Status FactorModel::PullRows(TableId table, std::span<const Key> keys,
                                   std::vector<float>& rows) {
  const std::size_t dim = config_.model.row_dim();
  rows.resize(keys.size() * dim);
  for (std::size_t begin = 0; begin < keys.size(); begin += kKeysOfPull) {
    const std::size_t count = std::min(kKeysOfPull, keys.size() - begin);
    LONGTAIL_RETURN_IF_ERROR(reader_->Pull(table, keys.subspan(begin, count),
                                           std::span(rows).subspan(begin * dim, count * dim),
                                           {.steps_ahead = std::nullopt}));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<FactorModel>> FactorModel::Read(const RecommenderConfig& config,
                                                               const Dataset& data,
                                                               Cluster& cluster) {
  std::unique_ptr<FactorModel> model(new FactorModel(config, data));
  LONGTAIL_ASSIGN_OR_RETURN(model->tables_, MakeTables(config, cluster));
  LONGTAIL_ASSIGN_OR_RETURN(model->reader_, cluster.ConnectReader());
  LONGTAIL_RETURN_IF_ERROR(
      model->PullRows(model->tables_.items, model->keys_.items, model->item_rows_));
  if (config.model.history == History::kOwn) {
    LONGTAIL_RETURN_IF_ERROR(
        model->PullRows(model->tables_.history, model->keys_.items, model->history_rows_));
  }
  const std::size_t dim = config.model.dim;
  model->item_vectors_.resize(data.item_count() * dim);
  for (std::size_t i = 0; i < data.item_count(); ++i) {
    std::copy_n(model->item_rows_.data() + i * config.model.row_dim() + config.model.bias_columns(),
                dim, model->item_vectors_.data() + i * dim);
  }
  if (config.model.similarity == Similarity::kCosine) {
    std::vector<float> lengths(data.item_count());
    Normalise(dim, model->item_vectors_, lengths);
  }
  model->offsets_.resize(data.item_count());
  const float discount = config.model.popularity_discount * config.loss.temperature;
  for (std::size_t i = 0; i < data.item_count(); ++i) {
    float& offset = model->offsets_[i];
    if (config.model.bias) offset = model->item_rows_[i * config.model.row_dim()];
    offset -= discount * std::log(std::max(1.0F, static_cast<float>(data.item_counts[i])));
    if (data.item_counts[i] == 0) offset += kUntrainedOffset;
  }
  return model;
}

absl::Status FactorModel::MakeVectors(std::span<const KnownUser> users) {
  const ModelConfig& model = config_.model;
  const std::size_t dim = model.dim;
  std::vector<float> user_rows;
  if (model.user_row) {
    std::vector<Key> keys;
    for (const KnownUser& user : users) keys.push_back(keys_.users[user.user]);
    LONGTAIL_RETURN_IF_ERROR(PullRows(tables_.users, keys, user_rows));
  }
  const std::vector<float>& history_rows =
      model.history == History::kOwn ? history_rows_ : item_rows_;
  vectors_.resize(users.size() * dim);
  user_biases_.assign(users.size(), 0);
  std::vector<const float*> history;
  for (std::size_t u = 0; u < users.size(); ++u) {
    history.clear();
    if (model.history != History::kNone) {
      std::span<const std::uint32_t> items = users[u].items;
      if (model.history_order == HistoryOrder::kBefore && items.size() > model.history_max) {
        items = items.last(model.history_max);
      }
      for (const std::uint32_t item : items) {
        history.push_back(history_rows.data() + std::size_t{item} * model.row_dim());
      }
    }
    std::span<const float> row;
    if (model.user_row) {
      row = std::span<const float>(user_rows).subspan(u * model.row_dim(), model.row_dim());
      if (model.bias) user_biases_[u] = row[0];
    }
    towers_.UserVector(row, history, std::span(vectors_).subspan(u * dim, dim));
  }
  if (model.similarity == Similarity::kCosine) {
    std::vector<float> lengths(users.size());
    Normalise(dim, vectors_, lengths);
  }
  return absl::OkStatus();
}

absl::Status FactorModel::Score(std::span<const KnownUser> users, Matrix scores) {
  LONGTAIL_RETURN_IF_ERROR(MakeVectors(users));
  const std::size_t dim = config_.model.dim;
  const std::size_t items = data_.item_count();
  gemm_->Multiply({.transpose_b = Transpose::kYes,
                   .a = {vectors_.data(), users.size(), dim, dim},
                   .b = {item_vectors_.data(), items, dim, dim},
                   .c = scores});
  for (std::size_t u = 0; u < users.size(); ++u) {
    for (std::size_t i = 0; i < items; ++i) scores.row(u)[i] += offsets_[i];
  }
  return absl::OkStatus();
}

absl::Status FactorModel::Rate(std::span<const Interaction> pairs, std::span<float> predictions) {
  const std::size_t dim = config_.model.dim;
  std::vector<KnownUser> users;
  for (std::size_t begin = 0; begin < pairs.size(); begin += kPairsOfBlock) {
    const auto block = pairs.subspan(begin, std::min(kPairsOfBlock, pairs.size() - begin));
    users.clear();
    for (const Interaction& pair : block) {
      users.push_back({.user = pair.user, .items = data_.train_items.Of(pair.user)});
    }
    LONGTAIL_RETURN_IF_ERROR(MakeVectors(users));
    for (std::size_t i = 0; i < block.size(); ++i) {
      const std::size_t item = block[i].item;
      float rating = data_.mean_rating + user_biases_[i];
      if (config_.model.bias) rating += item_rows_[item * config_.model.row_dim()];
      for (std::size_t k = 0; k < dim; ++k) {
        rating += vectors_[i * dim + k] * item_vectors_[item * dim + k];
      }
      predictions[begin + i] = std::clamp(rating, data_.lowest_rating, data_.highest_rating);
    }
  }
  return absl::OkStatus();
}

std::vector<RankedItem> FactorModel::Similar(std::uint32_t item, std::size_t count) const {
  const std::size_t dim = config_.model.dim;
  std::vector<float> vectors = item_vectors_;
  std::vector<float> scores(data_.item_count());
  Normalise(dim, vectors, scores);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    scores[i] = 0;
    for (std::size_t k = 0; k < dim; ++k) {
      scores[i] += vectors[i * dim + k] * vectors[std::size_t{item} * dim + k];
    }
  }
  std::vector<std::uint32_t> excluded = {item};
  for (std::uint32_t i = 0; i < scores.size(); ++i) {
    if (data_.item_counts[i] == 0) excluded.push_back(i);
  }
  std::vector<RankedItem> ranked;
  TopItems(scores, excluded, count, ranked);
  return ranked;
}

}  // namespace longtail::examples::recommender
