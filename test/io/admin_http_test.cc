// Pages are shown, to several at once, and nothing but pages.
#include "io/admin_http.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "support/free_port.h"
#include "support/http_get.h"

namespace longtail {
namespace {

using test::Exchange;
using test::HttpAsk;
using test::HttpGet;

std::unique_ptr<AdminHttp> Start(AdminHttp::Pages pages, const std::string& at = "127.0.0.1:0") {
  auto started = AdminHttp::Start(at, std::move(pages));
  INFO(started.status().ToString());
  REQUIRE(started.ok());
  return *std::move(started);
}

TEST_CASE("a page is what its function gives", "[admin]") {
  std::atomic<int> asked = 0;
  const auto server =
      Start({{"/a", [&] { return AdminHttp::Answer{.body = "page a"}; }},
             {"/b", [&] {
                ++asked;
                return AdminHttp::Answer{.code = 503, .type = "text/x", .body = "no"};
              }}});
  CHECK(server->address().starts_with("127.0.0.1:"));
  CHECK_FALSE(server->address().ends_with(":0"));

  CHECK(HttpGet(server->address(), "/a").code == 200);
  CHECK(HttpGet(server->address(), "/a").body == "page a");
  const auto b = HttpGet(server->address(), "/b");
  CHECK(b.code == 503);
  CHECK(b.body == "no");
  CHECK(b.head.find("Content-Type: text/x") != std::string::npos);
  CHECK(asked == 1);

  const auto none = HttpGet(server->address(), "/c?x=1");
  CHECK(none.code == 404);
  CHECK(none.body == "no such page; there are:\n/a\n/b\n");
  CHECK(HttpGet(server->address(), "/a?x=1").code == 200);
}

TEST_CASE("only what reads is answered", "[admin]") {
  const auto server = Start({{"/a", [] { return AdminHttp::Answer{.body = "page a"}; }}});
  for (const char* method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS"}) {
    CAPTURE(method);
    CHECK(HttpAsk(server->address(), method, "/a").code == 405);
  }
  const auto head = HttpAsk(server->address(), "HEAD", "/a");
  CHECK(head.code == 200);
  CHECK(head.body.empty());
  CHECK(head.head.find("Content-Length: 6") != std::string::npos);
}

TEST_CASE("an address that cannot be is named", "[admin]") {
  for (const char* listen : {"", "9640", ":9640", "127.0.0.1:", "127.0.0.1:x", "h:70000"}) {
    CAPTURE(listen);
    const absl::Status status = AdminHttp::Start(listen, {}).status();
    CHECK(absl::IsInvalidArgument(status));
    CHECK(status.message().find(std::string("'") + listen + "'") != std::string::npos);
  }
  const auto server = Start({});
  const absl::Status taken = AdminHttp::Start(server->address(), {}).status();
  CHECK(absl::IsUnavailable(taken));
  CHECK(taken.message().find(server->address()) != std::string::npos);
}

TEST_CASE("what is no request, too large or never ends holds nobody up", "[admin]") {
  const auto server = Start({{"/a", [] { return AdminHttp::Answer{.body = "page a"}; }}});
  const std::string junk(1 << 20, 'x');
  CHECK(Exchange(server->address(), "\x01\x02\r\n\r\n").find("page a") == std::string::npos);
  CHECK(Exchange(server->address(), "GET /a HTTP/1.1\r\nHost: h\r\nX: " + junk + "\r\n\r\n")
            .find("page a") == std::string::npos);
  CHECK(Exchange(server->address(), "GET /" + junk + " HTTP/1.1\r\n\r\n").find("page a") ==
        std::string::npos);
  CHECK(HttpGet(server->address(), "/../../etc/passwd").code != 200);
  // As many that say nothing as there are threads, and half a request each.
  std::vector<int> silent;
  for (int i = 0; i < 8; ++i) silent.push_back(test::ConnectTo(server->address()));
  for (const int descriptor : silent) REQUIRE(descriptor >= 0);
  const absl::Time begin = absl::Now();
  CHECK(HttpGet(server->address(), "/a").body == "page a");
  CHECK(absl::Now() - begin < absl::Seconds(30));
  for (const int descriptor : silent) close(descriptor);
}

TEST_CASE("several ask at once", "[admin]") {
  std::atomic<int> made = 0;
  const auto server = Start({{"/a", [&] {
                                ++made;
                                return AdminHttp::Answer{.body = std::string(100'000, 'a')};
                              }}});
  std::atomic<int> whole = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 20; ++k) {
        if (HttpGet(server->address(), "/a").body.size() == 100'000) ++whole;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(whole == 160);
  CHECK(made == 160);
}

// As deep as JSON or a library may go: more than CivetWeb gives its own threads.
int Deep(int depth) {
  volatile char frame[4096];
  frame[0] = static_cast<char>(depth);
  return depth == 0 ? 0 : Deep(depth - 1) + (frame[0] == static_cast<char>(depth) ? 1 : 0);
}

TEST_CASE("a page may use a megabyte of stack", "[admin]") {
  const auto server =
      Start({{"/a", [] { return AdminHttp::Answer{.body = std::to_string(Deep(256))}; }}});
  CHECK(HttpGet(server->address(), "/a").body == "256");
}

}  // namespace
}  // namespace longtail
