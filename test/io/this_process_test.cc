// What a process knows of itself, and why an address does not answer.
#include "io/this_process.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "io/probe_address.h"
#include "support/free_port.h"

namespace longtail {
namespace {

TEST_CASE("a process knows where it runs and that it is itself", "[io][process]") {
  CHECK(HostId() == HostId());
  CHECK(HostId().find('/') != std::string::npos);
  CHECK(ProcessName() == HostName().substr(0, 40) + ":" + std::to_string(getpid()));
  CHECK(DrawIncarnation() != DrawIncarnation());
  CHECK(DrawIncarnation() % 2 == 1);
  const std::uint64_t before = ResidentBytes();
  CHECK(before > 1 << 20);
  const std::vector<char> touched(64 << 20, 'x');
  CHECK(ResidentBytes() > before + (60 << 20));
  CHECK(MemoryLimitBytes() > ResidentBytes());
  CHECK(MemoryLimitBytes() <= static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) *
                                  static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)));
  CHECK(touched[77] == 'x');
}

TEST_CASE("why an address does not answer is said", "[io][process]") {
  const auto probe = [](const std::string& address) {
    return ProbeAddress(address, absl::Milliseconds(500));
  };
  CHECK(probe("tcp://127.0.0.1:" + std::to_string(test::FreePort())) ==
        "connection refused: nobody listens there");
  CHECK(probe("ipc:///no/such/file") == "there is no such socket file");
  CHECK(probe("tcp://no-such-host.invalid:1").rfind("the name 'no-such-host.invalid'", 0) == 0);
  CHECK(probe("localhost:80") == "it is not tcp://HOST:PORT");
}

}  // namespace
}  // namespace longtail
