#include "examples/recommender/answers.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <sstream>
#include <string>

#include "examples/recommender/factor_trainer.h"
#include "examples/recommender/popularity.h"
#include "examples/recommender/small_data.h"

namespace longtail::examples::recommender {
namespace {

using test::Need;

Dataset Movies() {
  // Item 0 is in all three users' training, item 1 in two, 2 in one, 3 in none; user 3 has nothing.
  Dataset data = test::MakeDataset({{0, 1, 2, 3}, {0, 1, 3}, {0, 3}, {3}}, 4, 1);
  data.titles = {{"Alien (1979)", "Horror"}, {"Aliens (1986)", "Action"}, {"Brazil", ""}, {"", ""}};
  return data;
}

TEST_CASE("a list has titles and leaves out what the user has",
          "[examples][recommender][answers]") {
  const Dataset data = Movies();
  Popularity scorer(data.item_counts);
  std::ostringstream says;
  CHECK(Need(PrintRecommendations(data, "1", 10, scorer, 0, says, {})) == Knowledge::kUser);
  const std::string text = says.str();
  CHECK(text.find("User 1 has 2 items, such as:\n  Alien (1979)\n  Aliens (1986)\n") == 0);
  const std::size_t list = text.find("Recommended to user 1");
  REQUIRE(list != std::string::npos);
  CHECK(text.find("Brazil", list) != std::string::npos);
  CHECK(text.find("Alien", list) == std::string::npos);
}

TEST_CASE("who is unknown gets what is popular, and is told so",
          "[examples][recommender][answers]") {
  const Dataset data = Movies();
  Popularity scorer(data.item_counts);
  std::ostringstream says;
  CHECK(Need(PrintRecommendations(data, "no\x1b[31mbody", 2, scorer, 0, says, {})) ==
        Knowledge::kUnknownUser);
  CHECK(says.str().find("is unknown: these are the items seen most, the same for everybody.") !=
        std::string::npos);
  CHECK(says.str().find('\x1b') == std::string::npos);
  CHECK(says.str().find("Aliens (1986)") != std::string::npos);
  CHECK(says.str().find("Brazil") == std::string::npos);

  std::ostringstream others;
  CHECK(Need(PrintRecommendations(data, "3", 2, scorer, 0, others, {})) ==
        Knowledge::kNothingToLearn);
  CHECK(others.str().find("User 3 has nothing in training: ") == 0);
}

TEST_CASE("an item is found by its id, its title or a part of that",
          "[examples][recommender][answers]") {
  const Dataset data = Movies();
  CHECK(Need(FindItem(data, "3")) == 3);
  CHECK(Need(FindItem(data, "aliens (1986)")) == 1);
  CHECK(Need(FindItem(data, "ALIEN")) == 0);  // Of two, the one seen more.
  CHECK(FindItem(data, "Casablanca").status().message() ==
        "item 'Casablanca': no such id, and no title of 4 has it");
  CHECK(FindItem(data, "").status().code() == absl::StatusCode::kNotFound);
}

TEST_CASE("the nearest items are those whose rows point the same way",
          "[examples][recommender][answers]") {
  const Dataset data = Movies();
  RecommenderConfig config;
  config.model.dim = 2;
  config.optimizer.rule = SgdSpec{.learning_rate = 1};
  config.initializer = ConstantSpec{.value = 0};
  const auto cluster = Need(Cluster::Embedded({}));
  const FactorTables tables = Need(MakeTables(config, *cluster));
  const FactorKeys keys(data.names);
  // Rows are minus the gradients: (1, 0), (-2, 0.1), (3, 0.3) and, untrained, (5, 0).
  const std::vector<float> gradients = {-1, 0, 2, -0.1F, -3, -0.3F, -5, 0};
  Need(Need(cluster->Connect())->Push(tables.items, keys.items, gradients));
  const auto model = Need(FactorModel::Read(config, data, *cluster));
  const auto near = model->Similar(0, 5);
  REQUIRE(near.size() == 2);  // Neither itself nor the one that training lacks.
  CHECK(near[0].item == 2);
  CHECK(near[0].score == Approx(3 / std::sqrt(9.09)));
  CHECK(near[1].item == 1);
  std::ostringstream says;
  PrintSimilar(data, 0, 1, *model, says, {});
  CHECK(says.str().find("Nearest to Alien (1979)") == 0);
  CHECK(says.str().find("Brazil") != std::string::npos);
  // In lists the item that training lacks comes last, however high its row would score, and a
  // discount lowers the others by the logarithm of their counts, 3, 2 and 1.
  config.model.user_row = false;
  config.model.history = History::kItems;
  for (const float discount : {0.0F, 0.5F}) {
    config.model.popularity_discount = discount;
    const auto lists = Need(FactorModel::Read(config, data, *cluster));
    const std::vector<std::uint32_t> known = {0};
    const KnownUser user{.user = 0, .items = known};
    std::vector<float> scores(4);
    Need(lists->Score({&user, 1}, {scores.data(), 1, 4, 4}));
    CHECK(scores[0] == Approx(1 - static_cast<double>(discount) * std::log(3)));
    CHECK(scores[1] == Approx(-2 - static_cast<double>(discount) * std::log(2)));
    CHECK(scores[2] == Approx(3));
    CHECK(scores[3] < -1e5);
  }
  std::ostringstream untrained;
  PrintSimilar(data, 3, 1, *model, untrained, {});
  CHECK(untrained.str().find("3 is not in training") == 0);
}

}  // namespace
}  // namespace longtail::examples::recommender
