// Where it is written how many servers there are to be: a file, or a StatefulSet in Kubernetes.
#include "io/servers_wanted.h"

#include <catch2/catch.hpp>
#include <string>

#include "absl/time/clock.h"
#include "io/stateful_set.h"
#include "server/cluster_fixture.h"
#include "support/free_port.h"
#include "support/scale_api.h"

namespace longtail {
namespace {

using test::Must;
using test::Says;

constexpr absl::Duration kSoon = absl::Seconds(5);

TEST_CASE("a server's number is at the end of its name", "[io][servers_wanted]") {
  CHECK(Must(OrdinalOf("longtail-server-0")) == 0);
  CHECK(Must(OrdinalOf("a-17")) == 17);
  for (const char* name :
       {"", "server", "server-", "server-x", "server-1x", "a-+1", "a-99999999999"}) {
    CAPTURE(name);
    const absl::Status status = OrdinalOf(name).status();
    CHECK(absl::IsInvalidArgument(status));
    CHECK(Says(status, "server name '" + std::string(name) + "': want NAME-NUMBER"));
  }
}

TEST_CASE("a file says how many servers are wanted", "[io][servers_wanted]") {
  const test::ScratchDirectory directory;
  const std::string path = directory / "servers";
  const absl::Status absent = ReadServersWanted(path, kSoon).status();
  CHECK(absl::IsNotFound(absent));
  CHECK(Says(absent, "servers wanted '" + path + "': no such file"));

  test::WriteWhole(path, " 3\nof which no more is read\n");
  CHECK(Must(ReadServersWanted(path, kSoon)) == 3);
  CHECK(Must(ReadServersWanted("file:" + path, kSoon)) == 3);

  for (const char* text : {"", "-1", "three", "3 servers"}) {
    CAPTURE(text);
    test::WriteWhole(path, text);
    const absl::Status wrong = ReadServersWanted(path, kSoon).status();
    CHECK(absl::IsInvalidArgument(wrong));
    CHECK(Says(wrong, "is no number of servers"));
  }
}

TEST_CASE("a place that is none is refused by name", "[io][servers_wanted]") {
  CHECK(Says(ReadServersWanted("rados://a/b", kSoon).status(),
             "servers wanted 'rados://a/b': want a file, or statefulset://NAME"));
  CHECK(Says(ReadServersWanted("statefulset://a?token=x", kSoon).status(),
             "option 'token': there are account, api"));
}

TEST_CASE("Kubernetes says how many servers are wanted", "[io][servers_wanted]") {
  test::ScaleApi api("longtail-server");
  api.Set("4");
  CHECK(Must(ReadServersWanted(api.place(), kSoon)) == 4);
  api.Set("0");  // Then its field is left out.
  CHECK(Must(ReadServersWanted(api.place(), kSoon)) == 0);

  api.Set("four");
  const absl::Status no_number = ReadServersWanted(api.place(), kSoon).status();
  CHECK(absl::IsInvalidArgument(no_number));
  CHECK(Says(no_number, "replicas \"four\": want a number"));
  api.Set("forbidden");
  const absl::Status forbidden = ReadServersWanted(api.place(), kSoon).status();
  CHECK(absl::IsPermissionDenied(forbidden));
  CHECK(Says(forbidden, "want a Role with get of statefulsets/scale"));
  api.Set("4");
  const absl::Status unknown =
      ReadReplicas({.name = "nope", .api = api.api(), .account = api.account()}, kSoon).status();
  CHECK(absl::IsNotFound(unknown));
  CHECK(Says(unknown, "StatefulSet 'nope': "));

  test::WriteWhole(api.account() + "/token", "another");
  CHECK(absl::IsPermissionDenied(ReadServersWanted(api.place(), kSoon).status()));
}

TEST_CASE("who is not vouched for, or does not answer, is not believed", "[io][servers_wanted]") {
  test::ScaleApi api("longtail-server");
  const test::ScaleApi other("longtail-server");
  api.Set("4");
  const absl::Status foreign =
      ReadReplicas({.name = "longtail-server", .api = api.api(), .account = other.account()}, kSoon)
          .status();
  CHECK(absl::IsUnavailable(foreign));
  CHECK(Says(foreign, "certificate"));

  const std::string nobody = "https://127.0.0.1:" + std::to_string(test::FreePort());
  const absl::Time begin = absl::Now();
  const absl::Status silent =
      ReadReplicas({.name = "longtail-server", .api = nobody, .account = api.account()}, kSoon)
          .status();
  CHECK(absl::Now() - begin < 2 * kSoon);
  CHECK(absl::IsUnavailable(silent));
  CHECK(Says(silent, nobody));

  const absl::Status outside =
      ReadReplicas({.name = "a", .api = nobody, .account = api.account() + "/nope"}, kSoon)
          .status();
  CHECK(absl::IsNotFound(outside));
  CHECK(Says(outside, "want a pod with automountServiceAccountToken"));
}

}  // namespace
}  // namespace longtail
