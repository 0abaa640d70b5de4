#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "examples/recommender/recommender_config.h"
#include "examples/recommender/small_data.h"

namespace longtail::examples::recommender {
namespace {

using test::Need;

std::string Refusal(const std::string& text) {
  return std::string(ParseRecommenderConfig(text, "c", "/d").status().message());
}

TEST_CASE("the committed configs are read", "[examples][recommender][config]") {
  const std::string directory = std::string(LONGTAIL_SOURCE_DIR) + "/examples/recommender/configs";
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    CAPTURE(entry.path().string());
    const RecommenderConfig config = Need(LoadRecommenderConfig(entry.path().string()));
    CHECK(config.title != RecommenderConfig{}.title);
    CHECK(std::filesystem::path(config.data.directory).is_absolute());
    ++count;
  }
  CHECK(count >= 5);
}

TEST_CASE("what a config says is what is done", "[examples][recommender][config]") {
  const RecommenderConfig config = Need(ParseRecommenderConfig(R"({
    // Comments are allowed.
    "title": "T",
    "data": {"directory": "x", "train": "a", "separator": "|", "header": true,
             "columns": {"user": 2, "item": 1, "rating": 3, "time": 4}, "min_rating": 3.5},
    "split": {"rule": "time", "validation_fraction": 0.2, "test_fraction": 0.3},
    "model": {"dim": 9, "user_row": false, "history": "own", "history_order": "before",
              "history_max": 7, "history_power": 1, "bias": true},
    "loss": {"name": "bpr", "temperature": 2, "negatives": 8, "negative_power": 0.75,
             "popularity_correction": 0.5, "l2": 0.1},
    "rows": {"optimizer": {"rule": "sgd", "learning_rate": 0.5}},
    "training": {"batch": 99, "epochs": 3, "workers": 4, "seed": 5, "decay": 0.5},
    "cluster": {"lanes": 2, "partitions": 8, "step_mode": "bounded", "staleness": 6}
  })",
                                                               "c", "/d"));
  CHECK(config.data.directory == "/d/x");
  CHECK(config.data.format.item_column == 1);
  CHECK(config.data.split.rule == SplitRule::kTime);
  CHECK(config.model.row_dim() == 10);
  CHECK(config.model.history == History::kOwn);
  CHECK(config.loss.kind == LossKind::kBpr);
  CHECK(config.loss.popularity_correction == 0.5);
  CHECK(std::get<SgdSpec>(config.optimizer.rule).learning_rate == 0.5F);
  CHECK(config.staleness == 6);
  CHECK(config.decay == 0.5F);
}

TEST_CASE("a config that cannot be is refused by key, value and what was wanted",
          "[examples][recommender][config]") {
  struct Case {
    std::string parts;
    std::string message;
  };
  const std::string data = R"("data": {"train": "a"}, "split": {"rule": "leave_one_out"})";
  const Case bad = GENERATE_COPY(values<Case>({
      {R"("data": {})", "c: data: key 'train': is empty; wanted a file's name"},
      {R"("data": {"train": "a"})",
       "c: split: key 'rule': is 'files' and data.test is empty; wanted a file's name there"},
      {data + R"(, "model": {"dim": 0})", "c: model: key 'dim': is 0; wanted 1 or more"},
      {data + R"(, "model": {"tail_share": 2})", "c: model: key 'tail_share': is 2; wanted 0..1"},
      {data + R"(, "model": {"user_row": false})",
       "c: model: key 'user_row': is false and there is no history; wanted one of them at least"},
      {data + R"(, "model": {"similarity": "cosine", "bias": true})",
       "c: model: key 'bias': is true and the similarity is 'cosine'; wanted 'dot', or no bias"},
      {data + R"(, "loss": {"name": "hinge"})",
       "c: loss: key 'name': is 'hinge'; wanted one of softmax, bpr, squared"},
      {data + R"(, "loss": {"temperature": 0})",
       "c: loss: key 'temperature': is 0; wanted more than 0"},
      {data + R"(, "loss": {"negative_power": 2})",
       "c: loss: key 'negative_power': is 2; wanted 0..1"},
      {data + R"(, "training": {"decay": 0})",
       "c: training: key 'decay': is 0; wanted above 0, at most 1"},
      {data + R"(, "cluster": {"staleness": 1})",
       "c: cluster: key 'staleness': is 1; wanted 0, or a step_mode of 'bounded'"},
  }));
  CHECK(Refusal("{" + bad.parts + "}") == bad.message);
}

TEST_CASE("what is no object, and keys that nobody knows, are refused",
          "[examples][recommender][config]") {
  CHECK(Refusal("{") == "c: is no JSON; wanted an object");
  CHECK(Refusal(R"({"data": {"train": "a", "test": "b"}, "modle": {}})").find("'modle'") !=
        std::string::npos);
  CHECK(LoadRecommenderConfig("/nowhere.json").status().code() == absl::StatusCode::kNotFound);
}

TEST_CASE("settings that decide the result are those that a resumed training must share",
          "[examples][recommender][config]") {
  const RecommenderConfig config = test::QuickStart(1);
  RecommenderConfig same = config;
  same.lanes = 3;
  same.partitions = 8;
  same.epochs = 9;
  CHECK(ResumeSettings(same) == ResumeSettings(config));
  RecommenderConfig other = config;
  other.initializer = NormalSpec{.stddev = 0.2F};
  CHECK(ResumeSettings(other) != ResumeSettings(config));
  other = config;
  other.loss.temperature = 0.5F;
  CHECK(ResumeSettings(other) != ResumeSettings(config));
}

}  // namespace
}  // namespace longtail::examples::recommender
