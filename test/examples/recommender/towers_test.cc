// The towers against an obvious implementation in doubles: its loss, and the differences of that
// for every float of every row.
#include "examples/recommender/towers.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <memory>
#include <vector>

#include "base/random.h"

namespace longtail::examples::recommender {
namespace {

constexpr std::uint32_t kUsers = 3;
constexpr std::uint32_t kItems = 7;
constexpr float kMeanRating = 3.25F;

// All rows of a model, and examples over them. Users and items repeat, a negative is drawn twice,
// one is an example's own item, and one example has no history.
struct Problem {
  std::vector<float> users;
  std::vector<float> items;
  std::vector<float> history;
  std::vector<std::uint32_t> user_of = {0, 1, 0, 2};
  std::vector<std::uint32_t> item_of = {2, 5, 6, 2};
  std::vector<float> ratings = {4, 1, 5, 3};
  std::vector<std::uint32_t> history_of = {1, 3, 1, 0, 4, 5};
  std::vector<std::size_t> offsets = {0, 3, 5, 5, 6};
  std::vector<std::uint32_t> negatives = {3, 2, 3, 0, 6};
  std::vector<float> logit_offsets = {0.1F, -0.4F, 0.1F, 0.7F, 0.2F};
};

Problem RandomProblem(const ModelConfig& model, const LossConfig& loss) {
  Rng rng(17);
  Problem p;
  const auto fill = [&](std::vector<float>& rows, std::uint32_t count) {
    rows.resize(std::size_t{count} * model.row_dim());
    for (float& v : rows) v = rng.Uniform(-1, 1);
  };
  if (model.user_row) fill(p.users, kUsers);
  fill(p.items, kItems);
  if (model.history == History::kOwn) fill(p.history, kItems);
  if (model.history == History::kNone) {
    p.history_of.clear();
    p.offsets.assign(5, 0);
  }
  if (!loss.draws_negatives()) {
    p.negatives.clear();
    p.logit_offsets.clear();
  }
  return p;
}

TowerInput InputOf(const ModelConfig& model, const Problem& p) {
  TowerInput input{.users = {},
                   .items = p.item_of,
                   .ratings = p.ratings,
                   .history = p.history_of,
                   .offsets = p.offsets,
                   .negatives = p.negatives,
                   .logit_offsets = p.logit_offsets};
  if (model.user_row) input.users = p.user_of;
  return input;
}

// As it is written down: one example after the other, one pair after the other.
double ObviousLoss(const ModelConfig& model, const LossConfig& loss, const Problem& p,
                   bool with_l2) {
  const auto at = [&](const std::vector<float>& rows, std::uint32_t row, std::uint32_t column) {
    return static_cast<double>(rows[std::size_t{row} * model.row_dim() + column]);
  };
  const std::uint32_t first = model.bias ? 1 : 0;
  const std::vector<float>& history = model.history == History::kOwn ? p.history : p.items;
  double sum = 0;
  double l2 = 0;
  const auto add_l2 = [&](const std::vector<float>& rows, std::uint32_t row) {
    for (std::uint32_t c = 0; c < model.row_dim(); ++c) l2 += at(rows, row, c) * at(rows, row, c);
  };
  for (std::size_t e = 0; e < p.item_of.size(); ++e) {
    std::vector<double> user(model.dim);
    const std::size_t count = p.offsets[e + 1] - p.offsets[e];
    for (std::uint32_t k = 0; k < model.dim; ++k) {
      if (model.user_row) user[k] += at(p.users, p.user_of[e], first + k);
      for (std::size_t h = p.offsets[e]; h < p.offsets[e + 1]; ++h) {
        user[k] += at(history, p.history_of[h], first + k) *
                   std::pow(static_cast<double>(count), -static_cast<double>(model.history_power));
      }
    }
    const auto score = [&](std::uint32_t item) {
      double dot = 0;
      double uu = 0;
      double ii = 0;
      for (std::uint32_t k = 0; k < model.dim; ++k) {
        const double i = at(p.items, item, first + k);
        dot += user[k] * i;
        uu += user[k] * user[k];
        ii += i * i;
      }
      if (model.similarity == Similarity::kCosine) dot = uu == 0 ? 0 : dot / std::sqrt(uu * ii);
      return dot + (model.bias ? at(p.items, item, 0) : 0);
    };
    if (model.user_row) add_l2(p.users, p.user_of[e]);
    add_l2(p.items, p.item_of[e]);
    for (std::size_t h = p.offsets[e]; h < p.offsets[e + 1]; ++h) add_l2(history, p.history_of[h]);
    if (loss.kind == LossKind::kSquared) {
      double rating = kMeanRating + score(p.item_of[e]);
      if (model.bias && model.user_row) rating += at(p.users, p.user_of[e], 0);
      sum += (rating - p.ratings[e]) * (rating - p.ratings[e]) / 2;
      continue;
    }
    const double positive = score(p.item_of[e]) / loss.temperature;
    double exponentials = 0;
    double pairs = 0;
    double pair_count = 0;
    for (std::size_t n = 0; n < p.negatives.size(); ++n) {
      if (p.negatives[n] == p.item_of[e]) continue;
      const double negative = score(p.negatives[n]) / loss.temperature - p.logit_offsets[n];
      exponentials += std::exp(negative - positive);
      pairs += std::log1p(std::exp(negative - positive));
      ++pair_count;
    }
    sum += loss.kind == LossKind::kSoftmax ? std::log1p(exponentials) : pairs / pair_count;
  }
  return sum + (with_l2 ? static_cast<double>(loss.l2) * l2 / 2 : 0);
}

struct Case {
  ModelConfig model;
  LossConfig loss;
};

std::vector<Case> Cases() {
  std::vector<Case> cases;
  for (const LossKind kind : {LossKind::kSoftmax, LossKind::kBpr, LossKind::kSquared}) {
    for (const Similarity similarity : {Similarity::kDot, Similarity::kCosine}) {
      for (const History history : {History::kNone, History::kItems, History::kOwn}) {
        for (const bool user_row : {true, false}) {
          if (kind == LossKind::kSquared && similarity == Similarity::kCosine) continue;
          if (!user_row && history == History::kNone) continue;
          cases.push_back({{.dim = 5,
                            .user_row = user_row,
                            .history = history,
                            .history_power = 0.5F,
                            .similarity = similarity,
                            .bias = similarity == Similarity::kDot},
                           {.kind = kind, .temperature = 0.6F, .l2 = 0.03F}});
        }
      }
    }
  }
  return cases;
}

TEST_CASE("losses and gradients of every model are those of the obvious one",
          "[examples][recommender][towers]") {
  const std::unique_ptr<Gemm> gemm = MakeOpenBlasGemm();
  for (const Case& tried : Cases()) {
    const ModelConfig& model = tried.model;
    const LossConfig& loss = tried.loss;
    CAPTURE(static_cast<int>(loss.kind), static_cast<int>(model.similarity),
            static_cast<int>(model.history), model.user_row);
    Problem p = RandomProblem(model, loss);
    std::vector<float> users(p.users.size());
    std::vector<float> items(p.items.size());
    std::vector<float> history(p.history.size());
    Towers towers(model, loss, kMeanRating, *gemm);
    const double got =
        towers.Train(InputOf(model, p), {.users = p.users, .items = p.items, .history = p.history},
                     {.users = users, .items = items, .history = history});
    CHECK(got == Approx(ObviousLoss(model, loss, p, false)).epsilon(1e-5));

    const auto check = [&](std::vector<float>& rows, const std::vector<float>& gradients) {
      for (std::size_t i = 0; i < rows.size(); ++i) {
        constexpr float kStep = 1e-2F;
        const float was = rows[i];
        rows[i] = was + kStep;
        const double above = ObviousLoss(model, loss, p, true);
        const double step_above = static_cast<double>(rows[i]) - was;
        rows[i] = was - kStep;
        const double below = ObviousLoss(model, loss, p, true);
        const double step_below = static_cast<double>(was) - rows[i];
        rows[i] = was;
        CAPTURE(i);
        CHECK(gradients[i] == Approx((above - below) / (step_above + step_below)).margin(2e-3));
      }
    };
    check(p.users, users);
    check(p.items, items);
    check(p.history, history);
  }
}

TEST_CASE("without examples nothing is computed", "[examples][recommender][towers]") {
  const std::unique_ptr<Gemm> gemm = MakeOpenBlasGemm();
  Towers towers({.dim = 4}, {}, 0, *gemm);
  CHECK(towers.Train({}, {}, {}) == 0);
}

TEST_CASE("a vector of zeros stays one when it is normalised, and its gradient finite",
          "[examples][recommender][towers]") {
  std::vector<float> vectors = {0, 0, 3, 4};
  std::vector<float> lengths(2);
  Normalise(2, vectors, lengths);
  CHECK(vectors == std::vector<float>{0, 0, 0.6F, 0.8F});
  CHECK(lengths == std::vector<float>{0, 5});
  std::vector<float> gradients = {0, 0, 1, 1};
  NormaliseBackward(2, vectors, lengths, gradients);
  // What is along the vector does not change its direction.
  CHECK(gradients[0] == 0);
  CHECK(gradients[2] * 0.6F + gradients[3] * 0.8F == Approx(0).margin(1e-6));
}

}  // namespace
}  // namespace longtail::examples::recommender
