#include "examples/recommender/small_data.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <numeric>

#include "base/random.h"

namespace longtail::examples::recommender::test {

TemporaryDirectory::TemporaryDirectory() {
  std::string pattern = (std::filesystem::temp_directory_path() / "recommender-XXXXXX").string();
  REQUIRE(mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TemporaryDirectory::Write(const std::string& name, const std::string& text) const {
  const std::string path = path_ + "/" + name;
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

Dataset MakeDataset(const std::vector<std::vector<std::uint32_t>>& lists, std::uint32_t item_count,
                    std::size_t test_items) {
  Dataset data;
  for (std::uint32_t i = 0; i < item_count; ++i) data.names.items.Add(std::to_string(i));
  data.item_counts.resize(item_count);
  for (std::uint32_t u = 0; u < lists.size(); ++u) {
    data.names.users.Add(std::to_string(u));
    for (std::size_t i = 0; i < lists[u].size(); ++i) {
      const bool is_test = i + test_items >= lists[u].size();
      (is_test ? data.test : data.train).push_back({.user = u, .item = lists[u][i]});
      if (!is_test) ++data.item_counts[lists[u][i]];
    }
  }
  data.train_items = ItemLists(data.user_count(), data.train);
  data.validation_items = ItemLists(data.user_count(), data.validation);
  data.test_items = ItemLists(data.user_count(), data.test);
  data.mean_rating = 1;
  return data;
}

std::vector<std::vector<std::uint32_t>> RandomLists(std::uint64_t seed, std::uint32_t users,
                                                    std::uint32_t items, std::uint32_t length) {
  Rng rng(seed);
  std::vector<std::vector<std::uint32_t>> lists(users);
  std::vector<std::uint32_t> all(items);
  for (auto& list : lists) {
    std::iota(all.begin(), all.end(), 0U);
    for (std::uint32_t i = 0; i < length; ++i) {
      std::swap(all[i], all[i + static_cast<std::size_t>(rng.Below(items - i))]);
      list.push_back(all[i]);
    }
  }
  return lists;
}

RecommenderConfig QuickStart(std::uint32_t epochs) {
  RecommenderConfig config =
      Need(LoadRecommenderConfig(std::string(LONGTAIL_SOURCE_DIR) +
                                 "/examples/recommender/configs/movielens-latest-small.json"));
  config.epochs = epochs;
  return config;
}

}  // namespace longtail::examples::recommender::test
