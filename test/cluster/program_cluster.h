// A cluster of processes of the program, for tests that kill and stop them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "cluster/cluster_status.h"
#include "server/cluster_fixture.h"
#include "support/program.h"

namespace longtail::test {

class ProgramCluster {
 public:
  struct Options {
    std::uint32_t servers = 2;
    std::uint32_t workers = 2;
    const char* step_mode = "asynchronous";
    std::uint32_t lease_seconds = 10;
    bool keeps_log = false;
    bool writes_bases = false;  ///< Every second, beside the log.
  };

  explicit ProgramCluster(const Options& options) : options_(options) {
    StartCoordinator("tcp://127.0.0.1:0");
    for (std::uint32_t i = 0; i < options.servers; ++i) servers.push_back(MakeServer(i));
    for (const auto& server : servers) Await(*server);
  }

  /// Starts a server again that was killed.
  void StartServer(std::uint32_t i) {
    servers[i].reset();
    servers[i] = MakeServer(i);
    Await(*servers[i]);
  }

  /// Starts it on the state that an earlier one left.
  void StartCoordinator(const std::string& listen) {
    const std::string file = directory.path() + "/cluster";
    std::filesystem::remove(file);
    coordinator.reset();
    coordinator = std::make_unique<Program>(std::vector<std::string>{
        LONGTAIL_PROGRAM, "coordinator", "--listen", listen, "--servers",
        std::to_string(options_.servers), "--workers", std::to_string(options_.workers),
        "--step-mode", options_.step_mode, "--lease", std::to_string(options_.lease_seconds),
        "--state", directory.path() + "/state", "--write-address", file});
    const bool listens =
        Program::Await(absl::Seconds(20), [&] { return std::filesystem::exists(file); });
    INFO(coordinator->said());
    REQUIRE(listens);
    address = ReadWhole(file);
    address.pop_back();
  }

  RemoteOptions remote() const { return {.coordinator = address}; }

  /// Waits until the coordinator knows `count` workers.
  bool AwaitWorkers(std::ptrdiff_t count, absl::Duration limit) const {
    return Program::Await(limit, [&] {
      const auto status = ReadClusterStatus(address, absl::Seconds(3));
      return status.ok() &&
             std::ranges::count(status->members, MemberKind::kWorker, &Member::kind) == count;
    });
  }

  const ScratchDirectory directory;
  std::string address;
  std::unique_ptr<Program> coordinator;
  std::vector<std::unique_ptr<Program>> servers;

 private:
  std::unique_ptr<Program> MakeServer(std::uint32_t i) const {
    std::vector<std::string> words = {LONGTAIL_PROGRAM, "serve",  "--coordinator",
                                      address,          "--name", "server-" + std::to_string(i),
                                      "--join-timeout", "30"};
    if (options_.keeps_log) {
      words.emplace_back("--log");
      words.push_back(directory.path() + "/log");
      words.emplace_back("--base-after-mib");
      words.emplace_back(options_.writes_bases ? "0" : "1024");
    }
    return std::make_unique<Program>(words);
  }
  static void Await(const Program& server) {
    const bool serves = server.AwaitText("server_serves", absl::Seconds(30));
    INFO(server.said());
    REQUIRE(serves);
  }

  const Options options_;
};

}  // namespace longtail::test
