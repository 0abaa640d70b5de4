// Addresses of stores, taken apart.
#include "io/store_address.h"

#include <catch2/catch.hpp>
#include <string>

#include "io/seconds_option.h"
#include "server/cluster_fixture.h"

namespace longtail {
namespace {

using test::Must;
using test::Says;

TEST_CASE("a directory is a place without options, whatever its name", "[io][store_address]") {
  for (const std::string path : {"/data/a", "a", "./a:b", "/data/a?b=c&d", "../x/rados://y"}) {
    CAPTURE(path);
    const StoreAddress plain = Must(ParseStoreAddress(path));
    const StoreAddress with_scheme = Must(ParseStoreAddress("file:" + path));
    CHECK(plain.scheme == "file");
    CHECK(plain.place == path);
    CHECK(plain.options.empty());
    CHECK(with_scheme.scheme == "file");
    CHECK(with_scheme.place == path);
  }
}

TEST_CASE("another scheme has a place and options, percent-decoded", "[io][store_address]") {
  const StoreAddress address =
      Must(ParseStoreAddress("rados://pool/jobs/a/?conf=/etc/x&mon=%5Bv2:h:1%5D,b=h:2&empty="));

  CHECK(address.scheme == "rados");
  CHECK(address.place == "pool/jobs/a");
  CHECK(address.options == std::map<std::string, std::string>{
                               {"conf", "/etc/x"}, {"mon", "[v2:h:1],b=h:2"}, {"empty", ""}});
  CHECK(Must(ParseStoreAddress("s3://bucket")).options.empty());
  CHECK(Must(ParseStoreAddress("s3://bucket?")).options.empty());
}

TEST_CASE("an address that is wrong is refused with itself and why", "[io][store_address]") {
  const auto refused = [](const std::string& address, const std::string& why) {
    const absl::Status status = ParseStoreAddress(address).status();
    INFO(status.ToString());
    return absl::IsInvalidArgument(status) && Says(status, "store '" + address + "': " + why);
  };

  CHECK(refused("", "want a directory or file:DIRECTORY"));
  CHECK(refused("file:", "want a directory or file:DIRECTORY"));
  CHECK(refused("rados:pool", "scheme 'rados': want '//' after it"));
  CHECK(refused("rados://", "names no place after '//'"));
  CHECK(refused("rados:///?a=b", "names no place after '//'"));
  CHECK(refused("rados://p?conf", "option 'conf': want NAME=VALUE"));
  CHECK(refused("rados://p?=x", "option '=x': want NAME=VALUE"));
  CHECK(refused("rados://p?a=1&b=2&a=3", "option 'a' is there twice"));
  for (const std::string option : {"%", "%1", "%zz", "x%4"}) {
    CHECK(refused("rados://p?a=" + option, "want two hexadecimal digits after each '%'"));
  }
}

TEST_CASE("what lies in a store has its options, too", "[io][store_address]") {
  CHECK(JoinStoreAddress("/data/a?b", "step-1") == "/data/a?b/step-1");
  CHECK(JoinStoreAddress("file:/data", "step-1") == "file:/data/step-1");
  CHECK(JoinStoreAddress("rados://p/n?user=x", "step-1") == "rados://p/n/step-1?user=x");
  CHECK(JoinStoreAddress("rados://p", "step-1") == "rados://p/step-1");
}

TEST_CASE("seconds are whole and within bounds", "[io][store_address]") {
  const std::string address = "rados://p?timeout=7&short=1&long=3601&text=1s&negative=-1&none=";
  const StoreAddress parsed = Must(ParseStoreAddress(address));
  absl::Duration seconds = absl::Seconds(30);

  Must(ReadSecondsOption(address, parsed, "absent", 2, seconds));
  CHECK(seconds == absl::Seconds(30));
  Must(ReadSecondsOption(address, parsed, "timeout", 2, seconds));
  CHECK(seconds == absl::Seconds(7));
  for (const std::string name : {"short", "long", "text", "negative", "none"}) {
    const absl::Status status = ReadSecondsOption(address, parsed, name, 2, seconds);
    CHECK(absl::IsInvalidArgument(status));
    CHECK(Says(status, name + " '" + parsed.options.at(name) + "': want 2..3600 seconds"));
  }
  CHECK(seconds == absl::Seconds(7));
}

}  // namespace
}  // namespace longtail
