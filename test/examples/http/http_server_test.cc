#include "examples/common/http/http_server.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "support/http_get.h"

namespace longtail::examples {
namespace {

using Parts = std::vector<std::pair<std::string, std::string>>;

std::unique_ptr<HttpServer> Start(const HttpServerOptions& options) {
  auto started = HttpServer::Start(options, [](const HttpServer::Request& request) {
    return HttpServer::Answer{.body = request.path + "|" + request.query};
  });
  INFO(started.status().ToString());
  REQUIRE(started.ok());
  return *std::move(started);
}

TEST_CASE("a query is names and values, in their order", "[http]") {
  CHECK(*QueryParts("") == Parts{});
  CHECK(*QueryParts("a=1") == Parts{{"a", "1"}});
  CHECK(*QueryParts("b=2&a=1&b=3") == Parts{{"b", "2"}, {"a", "1"}, {"b", "3"}});
  CHECK(*QueryParts("q=%E7%BA%A2%20x+y%26z") == Parts{{"q", "\xE7\xBA\xA2 x y&z"}});
  CHECK(*QueryParts("a&=b&c==d&") == Parts{{"a", ""}, {"", "b"}, {"c", "=d"}, {"", ""}});
  const std::string zero = (*QueryParts("a=x%00y"))[0].second;
  CHECK(zero == std::string("x\0y", 3));
}

TEST_CASE("any text is a query, or is refused by its part", "[http]") {
  std::uint32_t state = 1;
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (std::uint32_t left = state % 12; left != 0; --left) {
      state = state * 1664525 + 1013904223;
      text.push_back("%&=+a1F\xFF"[state >> 29]);
    }
    state = state * 1664525 + 1013904223;
    const auto parts = QueryParts(text);
    CAPTURE(text);
    if (!parts.ok()) {
      REQUIRE(absl::IsInvalidArgument(parts.status()));
      continue;
    }
    std::size_t bytes = 0;
    for (const auto& [name, value] : *parts) bytes += name.size() + value.size();
    REQUIRE(bytes <= text.size());
  }
}

TEST_CASE("a server gives path and query to its function, and the policy to the browser",
          "[http]") {
  const auto server = Start({.listen = "127.0.0.1:0", .policy = "default-src 'self'"});
  const auto answer = test::HttpGet(server->address(), "/a%20b?x=%31");
  CHECK(answer.code == 200);
  CHECK(answer.body == "/a b|x=%31");
  CHECK(answer.head.find("Content-Security-Policy: default-src 'self'") != std::string::npos);
  CHECK(answer.head.find("Connection: close") != std::string::npos);
}

TEST_CASE("a connection that is kept alive serves one request after the other", "[http]") {
  const auto server = Start({.listen = "127.0.0.1:0", .keeps_alive = true});
  const std::string two = test::Exchange(server->address(),
                                         "GET /one HTTP/1.1\r\nHost: h\r\n\r\nGET /two "
                                         "HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  CHECK(two.find("/one|") != std::string::npos);
  CHECK(two.find("/two|") != std::string::npos);
}

TEST_CASE("errors call the address what it is", "[http]") {
  const absl::Status status =
      HttpServer::Start({.listen = "nowhere", .name = "predictions' address"}, nullptr).status();
  CHECK(absl::StartsWith(status.message(), "predictions' address 'nowhere': want HOST:PORT"));
}

}  // namespace
}  // namespace longtail::examples
