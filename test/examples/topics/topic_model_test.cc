#include "examples/topics/topic_model.h"

#include <catch2/catch.hpp>

#include "examples/topics/small_model.h"
#include "examples/topics/text_files.h"

namespace longtail::examples {
namespace {

TEST_CASE("a model comes back from its file as it was", "[examples][topics][model]") {
  const longtail::test::ScratchDirectory directory;
  TopicModel model = test::SmallModel();
  const bool is_symmetric = GENERATE(true, false);
  if (!is_symmetric) model.priors.alpha[1] = 1.0 / 3;
  model.vocabulary.Add("never");
  model.counts.rows.ends.push_back(model.counts.rows.ends.back());
  REQUIRE(model.Save(directory.path() + "/model.gz").ok());

  const TopicModel read = test::Have(TopicModel::Load(directory.path() + "/model.gz"));

  CHECK(read.text == model.text);
  CHECK(read.priors.alpha == model.priors.alpha);
  CHECK(read.priors.beta == model.priors.beta);
  CHECK(read.priors.vocabulary_size == 6);
  CHECK(read.vocabulary.keys() == model.vocabulary.keys());
  CHECK(read.counts.rows == model.counts.rows);
  CHECK(read.counts.sums == model.counts.sums);
  CHECK(read.TokensOf(4) == 51);
}

TEST_CASE("a file that is no model is named with its line", "[examples][topics][model]") {
  struct Case {
    std::string text;
    const char* says;
  };
  const std::string head =
      "longtail-topics 1\ntext words\nvocabulary_size 2\nbeta 0.1\ntopics 2\nalpha 0.1\n";
  const Case c = GENERATE_COPY(values<Case>({
      {"", "wanted"},
      {"longtail-topics 2\n", ":1:"},
      {"longtail-topics 1\ntext braille\n", ":2:"},
      {"longtail-topics 1\ntext words\nvocabulary_size 0\n", ":3:"},
      {head.substr(0, head.size() - 4) + "0.1 0.1 0.1\n", ":6:"},
      {head + "a 0:1\n", ":7:"},
      {head + "a\t0:1\na\t1:1\n", ":8:"},
      {head + "a\t2:1\n", "topics 0..1"},
      {head + "a\t1:1 0:1\n", "ascending"},
      {head + "a\t0:0\n", "counts from 1"},
      {head + "a\t0:1,\n", ":7:"},
  }));
  CAPTURE(c.text);
  const longtail::test::ScratchDirectory directory;
  const std::string path = test::WriteText(directory.path(), "model", c.text);

  const auto read = TopicModel::Load(path);

  CHECK(read.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK(std::string(read.status().message()).find(c.says) != std::string::npos);
}

TEST_CASE("a topic's likeliest words come first, ties by number", "[examples][topics][model]") {
  const TopicModel model = test::SmallModel();

  const auto top = TopWords(model, 3);

  REQUIRE(top.size() == 2);
  REQUIRE(top[0].size() == 3);
  CHECK(model.vocabulary.text(top[0][0].word) == "红酒");
  CHECK(top[0][0].probability == Approx(30.01 / 65.06));
  CHECK(model.vocabulary.text(top[0][1].word) == "好");
  CHECK(model.vocabulary.text(top[1][2].word) == "<b>");
}

}  // namespace
}  // namespace longtail::examples
