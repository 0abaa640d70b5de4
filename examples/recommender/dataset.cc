#include "examples/recommender/dataset.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace longtail::examples::recommender {
namespace {

std::string PathOf(const DataConfig& config, const std::string& file) {
  if (file.empty() || std::filesystem::path(file).is_absolute()) return file;
  return (std::filesystem::path(config.directory) / file).string();
}

void LeaveOutBelow(float min_rating, std::vector<Interaction>& interactions) {
  std::erase_if(interactions, [&](const Interaction& i) { return i.rating < min_rating; });
}

}  // namespace

std::string Dataset::TextOfItem(std::uint32_t item) const {
  const bool has_title = item < titles.size() && !titles[item].text.empty();
  return has_title ? titles[item].text : names.items.name(item);
}

std::vector<std::uint32_t> KnownItems(const Dataset& data, EvaluatedPart part, std::uint32_t user) {
  const auto train = data.train_items.Of(user);
  std::vector<std::uint32_t> items(train.begin(), train.end());
  if (part == EvaluatedPart::kTest) {
    const auto validation = data.validation_items.Of(user);
    items.insert(items.end(), validation.begin(), validation.end());
  }
  return items;
}

absl::StatusOr<Dataset> LoadDataset(const DataConfig& config, OnBadLine on_bad_line) {
  Dataset data;
  Names& names = data.names;
  LONGTAIL_ASSIGN_OR_RETURN(
      std::vector<Interaction> interactions,
      ReadInteractions(PathOf(config, config.train), config.format, on_bad_line, names));
  LeaveOutBelow(config.min_rating, interactions);
  std::vector<Interaction> test;
  if (config.split.rule == SplitRule::kFiles) {
    LONGTAIL_ASSIGN_OR_RETURN(
        test, ReadInteractions(PathOf(config, config.test), config.format, on_bad_line, names));
    LeaveOutBelow(config.min_rating, test);
  }
  LONGTAIL_ASSIGN_OR_RETURN(SplitInteractions split,
                            Split(config.split, names.users.size(), std::move(interactions)));
  if (config.split.rule == SplitRule::kFiles) split.test = std::move(test);
  if (split.train.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("data '", PathOf(config, config.train),
                     "': no interaction is left to train on; min_rating is ", config.min_rating));
  }
  data.train = std::move(split.train);
  data.validation = std::move(split.validation);
  data.test = std::move(split.test);
  const std::uint32_t users = names.users.size();
  data.train_items = ItemLists(users, data.train);
  data.validation_items = ItemLists(users, data.validation);
  data.test_items = ItemLists(users, data.test);
  data.item_counts.resize(names.items.size());
  double sum = 0;
  data.lowest_rating = data.train[0].rating;
  data.highest_rating = data.train[0].rating;
  for (const Interaction& i : data.train) {
    ++data.item_counts[i.item];
    sum += i.rating;
    data.lowest_rating = std::min(data.lowest_rating, i.rating);
    data.highest_rating = std::max(data.highest_rating, i.rating);
  }
  data.mean_rating = static_cast<float>(sum / static_cast<double>(data.train.size()));
  if (!config.titles.path.empty()) {
    TitleFile titles = config.titles;
    titles.path = PathOf(config, titles.path);
    LONGTAIL_ASSIGN_OR_RETURN(data.titles, ReadTitles(titles, on_bad_line, names));
  }
  return data;
}

}  // namespace longtail::examples::recommender
