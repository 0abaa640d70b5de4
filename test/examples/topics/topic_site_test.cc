#include "examples/topics/topic_site.h"

#include <catch2/catch.hpp>

#include "examples/topics/small_model.h"
#include "examples/topics/text_files.h"
#include "nlohmann/json.hpp"
#include "support/http_get.h"

namespace longtail::examples {
namespace {

using longtail::test::HttpAsk;
using longtail::test::HttpGet;

struct Site {
  TopicQuery query = test::Have(TopicQuery::Make(test::SmallModel(), "", {}));
  std::unique_ptr<TopicSite> site = test::Have(TopicSite::Show("127.0.0.1:0", query));
  const std::string& address() const { return site->address(); }
};

// 红酒木瓜汤 as a browser sends it.
const std::string kSoup = "%E7%BA%A2%E9%85%92%E6%9C%A8%E7%93%9C%E6%B1%A4";

TEST_CASE("a page has a search box and the answer below it", "[examples][topics][site]") {
  Site site;

  const auto empty = HttpGet(site.address(), "/");
  CHECK(empty.code == 200);
  CHECK(empty.body.find("type=\"search\"") != std::string::npos);
  const auto answered = HttpGet(site.address(), "/?q=" + kSoup);
  CHECK(answered.code == 200);
  CHECK(answered.body.find("value=\"红酒木瓜汤\"") != std::string::npos);
  CHECK(answered.body.find("likeliest words") != std::string::npos);
  CHECK(answered.head.find("default-src 'none'") != std::string::npos);
}

TEST_CASE("a program asks for JSON", "[examples][topics][site]") {
  Site site;

  const auto answer = HttpGet(site.address(), "/query?q=" + kSoup);

  CHECK(answer.code == 200);
  CHECK(answer.head.find("Content-Type: application/json") != std::string::npos);
  const auto json = nlohmann::json::parse(answer.body);
  CHECK(json.at("query") == "红酒木瓜汤");
  CHECK(json.at("words")[1].at("text") == "木瓜");
  CHECK(json.at("topics")[0].at("id") == 1);
}

TEST_CASE("what comes from outside never becomes markup", "[examples][topics][site]") {
  Site site;

  const auto answer =
      HttpGet(site.address(), "/?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E%E6%B1%A4");

  CHECK(answer.code == 200);
  CHECK(answer.body.find("<script") == std::string::npos);
  CHECK(answer.body.find("&lt;script&gt;") != std::string::npos);
}

TEST_CASE("what cannot be answered is refused and says why", "[examples][topics][site]") {
  Site site;

  CHECK(HttpGet(site.address(), "/query").code == 400);
  CHECK(HttpGet(site.address(), "/query?q=").code == 400);
  const auto undecodable = HttpGet(site.address(), "/query?q=%FF%FE");
  CHECK(undecodable.code == 400);
  CHECK(nlohmann::json::parse(undecodable.body).at("error").get<std::string>().find("UTF-8") !=
        std::string::npos);
  CHECK(HttpGet(site.address(), "/?q=%FF").code == 400);
  CHECK(HttpGet(site.address(), "/query?q=" + std::string(8000, 'a')).code == 400);
  CHECK(HttpGet(site.address(), "/../etc/passwd").code != 200);
  CHECK(HttpGet(site.address(), "/elsewhere").code == 404);
  CHECK(HttpAsk(site.address(), "POST", "/query?q=a").code == 405);
  CHECK(HttpGet(site.address(), "/query?q=" + kSoup).code == 200);
}

TEST_CASE("an address that is none, or taken, is named", "[examples][topics][site]") {
  Site site;

  CHECK(TopicSite::Show("nowhere", site.query).status().code() ==
        absl::StatusCode::kInvalidArgument);
  CHECK(TopicSite::Show(site.address(), site.query).status().code() ==
        absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace longtail::examples
