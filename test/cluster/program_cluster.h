// A cluster of processes of the program, for tests that kill and stop them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cluster/cluster_status.h"
#include "server/cluster_fixture.h"
#include "support/cut_network.h"
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
    std::string log{};          ///< Where, if not in a directory of the test's.
    bool writes_bases = false;  ///< Every second, beside the log.
    std::uint32_t replicas = 1;
    std::uint32_t lanes = 1;  ///< Of each server.
    std::string keep_log{};   ///< Of servers with logs; empty: none are kept.
    std::string state{};      ///< Of the coordinator; empty: a directory of the test's.
    std::string store{};      ///< Of checkpoints; empty: there is none.
    std::string keys{};       ///< The directory of the cluster's; empty: there are none.
    /// Whether each program has a directory of its own in that: coordinator, server-0 and so on.
    bool has_keys_each = false;
    std::string own_keys{};                  ///< Then: of an operator, whose the test itself is.
    std::vector<std::string> serve_words{};  ///< More of the servers' command line.
    /// Where "coordinator", "server-0" and so on are hosts of their own; null: all on loopback.
    const CutNetwork* network = nullptr;
    /// Then: whether others know them by "coordinator.test", "server-0.test" and so on, names that
    /// the test has set.
    bool has_names = false;
  };

  explicit ProgramCluster(const Options& options) : options_(options) {
    StartCoordinator(absl::StrCat("tcp://", HostOf("coordinator"), ":0"));
    for (std::uint32_t i = 0; i < options.servers; ++i) servers.push_back(MakeServer(i));
    for (const auto& server : servers) Await(*server);
  }

  /// Starts a server again that was killed.
  void StartServer(std::uint32_t i) {
    servers[i].reset();
    servers[i] = MakeServer(i);
    Await(*servers[i]);
  }

  /// Starts one in the place of a server that goes on, or stands still, and is handed out; does
  /// not wait for it.
  std::unique_ptr<Program> StartSuccessor(std::uint32_t i) {
    return std::exchange(servers[i], MakeServer(i));
  }

  /// From its next start on a program is on another host of the network.
  void Move(const std::string& program, const std::string& host) { hosts_[program] = host; }

  /// Starts one more.
  void AddServer() {
    servers.push_back(MakeServer(static_cast<std::uint32_t>(servers.size())));
    Await(*servers.back());
  }

  /// Has lanes elsewhere, and waits until they are.
  void Place(const PlaceLanes& wanted, absl::Duration limit) const {
    Must(AskToPlace(address, wanted, absl::Seconds(10)));
    REQUIRE(Program::Await(limit, [&] {
      const auto status = ReadClusterStatus(address, absl::Seconds(3));
      return status.ok() && status->moves_left == 0;
    }));
  }

  /// Starts it on the state that an earlier one left.
  void StartCoordinator(const std::string& listen) {
    const std::string file = directory.path() + "/cluster";
    std::filesystem::remove(file);
    coordinator.reset();
    const auto on = GoTo("coordinator");
    std::vector<std::string> words = {
        LONGTAIL_PROGRAM,  "coordinator",
        "--listen",        listen,
        "--servers",       std::to_string(options_.servers),
        "--workers",       std::to_string(options_.workers),
        "--replicas",      std::to_string(options_.replicas),
        "--step-mode",     options_.step_mode,
        "--lease",         std::to_string(options_.lease_seconds),
        "--state",         options_.state.empty() ? directory.path() + "/state" : options_.state,
        "--write-address", file};
    AddSecurity("coordinator", words);
    coordinator = std::make_unique<Program>(words);
    const bool listens =
        Program::Await(absl::Seconds(20), [&] { return std::filesystem::exists(file); });
    INFO(coordinator->said());
    REQUIRE(listens);
    address = ReadWhole(file);
    address.pop_back();
    if (options_.has_names) {
      address = absl::StrCat("tcp://coordinator.test", address.substr(address.rfind(':')));
    }
    if (!options_.own_keys.empty()) address += "?keys=" + options_.own_keys;
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

  /// Waits until every server could take over what it follows.
  bool AwaitReplicas(absl::Duration limit) const {
    return Program::Await(limit, [&] {
      const auto status = ReadClusterStatus(address, absl::Seconds(3));
      return status.ok() && status->is_well() && status->map != nullptr &&
             std::ranges::all_of(status->map->servers, [](const ServerEntry& server) {
               return std::ranges::all_of(server.lanes, [](const LaneEntry& lane) {
                 return lane.role == ReplicaRole::kLeader || lane.role == ReplicaRole::kFollower ||
                        lane.role == ReplicaRole::kReader;
               });
             });
    });
  }

  const ScratchDirectory directory;
  std::string address;
  std::unique_ptr<Program> coordinator;
  std::vector<std::unique_ptr<Program>> servers;

 private:
  std::string PlaceOf(const std::string& program) const {
    const auto moved = hosts_.find(program);
    return moved == hosts_.end() ? program : moved->second;
  }

  std::string HostOf(const std::string& program) const {
    return options_.network == nullptr ? "127.0.0.1"
                                       : options_.network->AddressOf(PlaceOf(program));
  }

  void AddSecurity(const std::string& program, std::vector<std::string>& words) const {
    if (!options_.keys.empty()) {
      words.insert(words.end(), {"--keys", options_.has_keys_each ? options_.keys + "/" + program
                                                                  : options_.keys});
    } else if (options_.network != nullptr) {
      words.emplace_back("--plain");  // Its hosts are no loopback.
    }
  }

  // This thread is where that program is to be, for as long as the result lives.
  std::unique_ptr<CutNetwork::On> GoTo(const std::string& program) const {
    if (options_.network == nullptr) return nullptr;
    return std::make_unique<CutNetwork::On>(*options_.network, PlaceOf(program));
  }

  std::unique_ptr<Program> MakeServer(std::uint32_t i) const {
    const std::string name = "server-" + std::to_string(i);
    const auto on = GoTo(name);
    std::vector<std::string> words = {LONGTAIL_PROGRAM, "serve",
                                      "--coordinator",  address,
                                      "--name",         name,
                                      "--listen",       absl::StrCat("tcp://", HostOf(name), ":0"),
                                      "--join-timeout", "30",
                                      "--replicas",     std::to_string(options_.replicas),
                                      "--lanes",        std::to_string(options_.lanes)};
    AddSecurity(name, words);
    if (options_.has_names) words.insert(words.end(), {"--advertise", name + ".test"});
    if (!options_.store.empty()) words.insert(words.end(), {"--store", options_.store});
    words.insert(words.end(), options_.serve_words.begin(), options_.serve_words.end());
    if (options_.keeps_log) {
      words.emplace_back("--log");
      words.push_back(options_.log.empty() ? directory.path() + "/log" : options_.log);
      words.emplace_back("--base-after-mib");
      words.emplace_back(options_.writes_bases ? "0" : "1024");
      if (!options_.keep_log.empty()) {
        words.insert(words.end(), {"--keep-log", options_.keep_log});
      }
    }
    return std::make_unique<Program>(words);
  }
  static void Await(const Program& server) {
    const bool serves = server.AwaitText("server_serves", absl::Seconds(30));
    INFO(server.said());
    REQUIRE(serves);
  }

  const Options options_;
  std::map<std::string, std::string> hosts_;  // Of programs that are not on the host of their name.
};

}  // namespace longtail::test
