#include "examples/recommender/evaluation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <span>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "examples/common/nn/matrix.h"
#include "examples/common/report/number_text.h"
#include "examples/recommender/tail_places.h"

namespace longtail::examples::recommender {
namespace {

using nlohmann::json;

constexpr std::array<std::size_t, 2> kPlaces = {10, 20};
constexpr std::size_t kUsersOfBlock = 256;

const ItemLists& ListsOf(const Dataset& data, EvaluatedPart part) {
  return part == EvaluatedPart::kTest ? data.test_items : data.validation_items;
}

const char* NameOf(EvaluatedPart part) {
  return part == EvaluatedPart::kTest ? "test" : "validation";
}

// A bucket's name as a row of a table has it.
std::string BucketText(std::size_t bucket) {
  return absl::StrCat("  seen ", std::string(kItemBuckets[bucket].name), " times in training");
}

}  // namespace

absl::StatusOr<RankingResult> EvaluateRanking(const Dataset& data, EvaluatedPart part,
                                              Scorer& scorer, float tail_share) {
  const ItemLists& wanted = ListsOf(data, part);
  RankingResult result;
  std::vector<std::uint32_t> users;
  for (std::uint32_t user = 0; user < data.user_count(); ++user) {
    if (wanted.Of(user).empty()) continue;
    if (data.train_items.Of(user).empty()) {
      ++result.users_without_training;
    } else {
      users.push_back(user);
    }
  }
  if (users.empty()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "evaluation: no user has items in training and in ", NameOf(part), "; wanted some"));
  }
  RankingEvaluator evaluator(data.item_counts, kPlaces);
  MatrixBuffer scores(std::min(kUsersOfBlock, users.size()), data.item_count());
  std::vector<std::vector<std::uint32_t>> known;
  std::vector<KnownUser> block;
  std::vector<RankedItem> list;
  for (std::size_t begin = 0; begin < users.size(); begin += kUsersOfBlock) {
    const std::size_t count = std::min(kUsersOfBlock, users.size() - begin);
    known.clear();
    block.clear();
    for (std::size_t i = 0; i < count; ++i) {
      known.push_back(KnownItems(data, part, users[begin + i]));
      block.push_back({.user = users[begin + i], .items = known.back()});
    }
    const Matrix rows = scores.view().Rows(0, count);
    LONGTAIL_RETURN_IF_ERROR(scorer.Score(block, rows));
    for (std::size_t i = 0; i < count; ++i) {
      TopItemsWithTail({rows.row(i), data.item_count()}, known[i], data.item_counts, tail_share,
                       kPlaces.back(), list);
      evaluator.Add(list, wanted.Of(users[begin + i]));
    }
  }
  result.metrics = evaluator.Metrics();
  return result;
}

absl::StatusOr<RatingResult> EvaluateRatings(const Dataset& data, EvaluatedPart part,
                                             FactorModel& model) {
  const std::vector<Interaction>& pairs =
      part == EvaluatedPart::kTest ? data.test : data.validation;
  if (pairs.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("evaluation: ", NameOf(part), " has no ratings; wanted some"));
  }
  std::vector<float> predictions(pairs.size());
  LONGTAIL_RETURN_IF_ERROR(model.Rate(pairs, predictions));
  RatingResult result;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const double error = static_cast<double>(predictions[i]) - pairs[i].rating;
    RatingResult::Bucket& bucket = result.buckets[ItemBucketOf(data.item_counts[pairs[i].item])];
    ++result.count;
    ++bucket.count;
    result.rmse += error * error;
    bucket.rmse += error * error;
  }
  const auto finish = [](std::uint64_t count, double& rmse) {
    if (count != 0) rmse = std::sqrt(rmse / static_cast<double>(count));
  };
  finish(result.count, result.rmse);
  for (RatingResult::Bucket& bucket : result.buckets) finish(bucket.count, bucket.rmse);
  return result;
}

void Print(const RankingResult& result, const std::string& title, std::ostream& out,
           TerminalStyle style) {
  TextTable table{.title = title, .header = {""}, .rows = {}};
  std::vector<std::string> hit_rate = {"HR"};
  std::vector<std::string> recall = {"recall"};
  std::vector<std::string> ndcg = {"NDCG"};
  for (const RankingMetrics& m : result.metrics) {
    table.header.push_back(absl::StrCat("@", m.k));
    hit_rate.push_back(FixedText(m.hit_rate, 4));
    recall.push_back(FixedText(m.recall, 4));
    ndcg.push_back(FixedText(m.ndcg, 4));
  }
  table.header.push_back("test items");
  table.rows = {hit_rate, recall, ndcg, {"found, of items"}};
  const auto add = [&](std::string name, auto hits_of) {
    if (hits_of(result.metrics[0]).test_items == 0) return;
    std::vector<std::string> row = {std::move(name)};
    for (const RankingMetrics& m : result.metrics) row.push_back(FixedText(hits_of(m).share(), 4));
    row.push_back(GroupedText(hits_of(result.metrics[0]).test_items));
    table.rows.push_back(std::move(row));
  };
  for (std::size_t b = 0; b < kItemBuckets.size(); ++b) {
    add(BucketText(b), [b](const RankingMetrics& m) { return m.buckets[b]; });
  }
  add("  the tail: 0-5 times", [](const RankingMetrics& m) { return m.tail(); });
  out << TextOf(table, style) << GroupedText(result.metrics[0].users)
      << " users, each with a list of all items but their own.";
  if (result.users_without_training != 0) {
    out << " " << GroupedText(result.users_without_training)
        << " users have nothing in training and are in no average.";
  }
  out << "\n";
}

void Print(const RatingResult& result, const std::string& title, std::ostream& out,
           TerminalStyle style) {
  TextTable table{.title = title, .header = {"", "RMSE", "ratings"}, .rows = {}};
  table.rows.push_back({"all", FixedText(result.rmse, 4), GroupedText(result.count)});
  for (std::size_t b = 0; b < kItemBuckets.size(); ++b) {
    if (result.buckets[b].count == 0) continue;
    table.rows.push_back({BucketText(b), FixedText(result.buckets[b].rmse, 4),
                          GroupedText(result.buckets[b].count)});
  }
  out << TextOf(table, style);
}

std::string ToJson(const RankingResult& result) {
  json object = {{"users", result.metrics[0].users},
                 {"users_without_training", result.users_without_training}};
  const auto hits = [](const BucketHits& bucket) {
    return json{{"test_items", bucket.test_items}, {"found", bucket.found}};
  };
  for (const RankingMetrics& m : result.metrics) {
    json buckets = json::object();
    for (std::size_t b = 0; b < kItemBuckets.size(); ++b) {
      buckets[std::string(kItemBuckets[b].name)] = hits(m.buckets[b]);
    }
    object[absl::StrCat("at_", m.k)] = {{"hit_rate", m.hit_rate},
                                        {"recall", m.recall},
                                        {"ndcg", m.ndcg},
                                        {"tail", hits(m.tail())},
                                        {"buckets", buckets}};
  }
  return object.dump(2) + "\n";
}

std::string ToJson(const RatingResult& result) {
  json object = {{"ratings", result.count}, {"rmse", result.rmse}, {"buckets", json::object()}};
  for (std::size_t b = 0; b < kItemBuckets.size(); ++b) {
    object["buckets"][std::string(kItemBuckets[b].name)] = {{"ratings", result.buckets[b].count},
                                                            {"rmse", result.buckets[b].rmse}};
  }
  return object.dump(2) + "\n";
}

}  // namespace longtail::examples::recommender
