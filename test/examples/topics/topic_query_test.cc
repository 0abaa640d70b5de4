#include "examples/topics/topic_query.h"

#include <catch2/catch.hpp>

#include "examples/topics/small_model.h"
#include "examples/topics/text_files.h"
#include "nlohmann/json.hpp"

namespace longtail::examples {
namespace {

TopicQuery SmallQuery() {
  return test::Have(TopicQuery::Make(test::SmallModel(), "", {}));
}

TEST_CASE("a text's words have weights and its topics ranks", "[examples][topics][query]") {
  const TopicQuery query = SmallQuery();

  const QueryAnswer answer = test::Have(query.Answer("红酒好木瓜汤"));

  REQUIRE(answer.words.size() == 4);
  CHECK(answer.words[0].text == "红酒");
  CHECK(answer.words[0].tokens == 30);
  // 好 is in both topics alike and tells next to nothing, and 木瓜, seen once, tells its topic.
  CHECK(answer.words[1].weight < 0.01);
  CHECK(answer.words[2].weight > 0.2);
  double weight = 0;
  for (const QueryWord& word : answer.words) weight += word.weight;
  CHECK(weight == Approx(1));
  REQUIRE(answer.topics.size() == 2);
  CHECK(answer.topics[0].rank == 1);
  CHECK(answer.topics[0].id == 1);
  CHECK(answer.topics[0].weight > 0.5);
  CHECK(answer.topics[0].weight + answer.topics[1].weight == Approx(1));
  CHECK(answer.topics[1].words[0].text == "红酒");
}

TEST_CASE("a word that the model has not says so and tells nothing", "[examples][topics][query]") {
  const TopicQuery query = SmallQuery();

  const QueryAnswer some = test::Have(query.Answer("汤 xyz"));
  CHECK(some.words[1].text == "xyz");
  CHECK_FALSE(some.words[1].is_seen);
  CHECK(some.words[1].weight == 0);
  CHECK(some.topics[0].id == 1);
  CHECK(ToText(some, {}).find("not in the model") != std::string::npos);

  const QueryAnswer none = test::Have(query.Answer("xyz"));
  CHECK(none.topics.empty());
  CHECK(none.note.find("none of these words") != std::string::npos);
  CHECK(nlohmann::json::parse(ToJson(none)).at("note") == none.note);
}

TEST_CASE("the demonstration model knows words that were seen once", "[examples][topics][query]") {
  TopicModel model = test::Have(
      TopicModel::Load(std::string(LONGTAIL_SOURCE_DIR) + "/examples/data/zh-topics/model.gz"));
  CHECK(model.vocabulary.size() == 151'044);
  const TopicQuery query = test::Have(TopicQuery::Make(std::move(model), "", {}));

  const QueryAnswer answer = test::Have(query.Answer("红酒木瓜汤"));

  REQUIRE(answer.words.size() == 3);
  CHECK(answer.words[1].text == "木瓜");
  CHECK(answer.words[1].tokens == 1);
  CHECK(answer.words[1].weight > 0.05);
  CHECK(answer.topics.size() == 5);
}

TEST_CASE("what is no text is refused", "[examples][topics][query]") {
  const TopicQuery query = SmallQuery();
  for (const std::string& text :
       {std::string(), std::string(" 　！"), std::string("汤\xff"), std::string(5000, 'a')}) {
    CHECK(query.Answer(text).status().code() == absl::StatusCode::kInvalidArgument);
  }
}

TEST_CASE("an answer is a table, JSON and a page, and its text stays text",
          "[examples][topics][query]") {
  TopicModel model = test::SmallModel();
  model.text = TextKind::kWords;
  const TopicQuery query = test::Have(TopicQuery::Make(std::move(model), "", {}));
  const QueryAnswer answer = test::Have(query.Answer("<b> 汤 \"&x"));

  CHECK(answer.words[0].is_seen);
  const std::string page = ToHtml(answer);
  CHECK(page.find("<b>") == std::string::npos);
  CHECK(page.find("&lt;b&gt;") != std::string::npos);
  const auto json = nlohmann::json::parse(ToJson(answer));
  CHECK(json.at("query") == answer.text);
  CHECK(json.at("words").size() == 3);
  CHECK(json.at("topics")[0].at("rank") == 1);
  CHECK(json.at("topics")[0].at("words")[0].at("probability").get<double>() > 0.3);
  CHECK(ToText(answer, {}).find("likeliest words") != std::string::npos);
}

}  // namespace
}  // namespace longtail::examples
