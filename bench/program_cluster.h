// A cluster of processes of the program on this machine, for benchmarks that kill and add servers.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "cluster/cluster_status.h"

namespace longtail::bench {

/// Status 2: it could not be measured, which is not a target that was missed.
[[noreturn]] inline void Fail(const std::string& why) {
  std::fflush(stdout);
  std::fprintf(stderr, "%s\n", why.c_str());
  std::exit(2);
}

inline void Need(const absl::Status& status) {
  if (!status.ok()) Fail(status.ToString());
}
template <typename T>
T Need(absl::StatusOr<T> result) {
  Need(result.status());
  return *std::move(result);
}

inline std::string ReadText(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// True as soon as `holds()` is.
template <typename Holds>
bool AwaitThat(absl::Duration limit, absl::Duration look_every, Holds holds) {
  const absl::Time deadline = absl::Now() + limit;
  while (!holds()) {
    if (absl::Now() >= deadline) return false;
    absl::SleepFor(look_every);
  }
  return true;
}

/// A process of the program; ends with this one, however that ends.
///
/// Thread: one, which must outlive it.
class ProgramChild {
 public:
  /// What it says goes into the file `output`.
  ProgramChild(std::vector<std::string> words, std::string output) : output_(std::move(output)) {
    words.insert(words.begin(), LONGTAIL_PROGRAM);
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const int file = open(output_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) Fail("'" + output_ + "' cannot be written");
    process_ = fork();
    if (process_ < 0) Fail("no process can be started");
    if (process_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      dup2(file, STDOUT_FILENO);
      dup2(file, STDERR_FILENO);
      execv(arguments[0], arguments.data());
      _exit(127);
    }
    close(file);
  }
  ~ProgramChild() {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
  ProgramChild(const ProgramChild&) = delete;
  ProgramChild& operator=(const ProgramChild&) = delete;

  std::string said() const { return ReadText(output_); }

 private:
  const std::string output_;
  pid_t process_ = 0;
};

/// A coordinator and servers; without state. Leases are the program's.
class ProgramCluster {
 public:
  struct Options {
    std::uint32_t servers = 1;
    std::uint32_t workers = 1;
    std::uint32_t replicas = 1;
    std::uint32_t lanes = 1;    ///< Of each server.
    bool store = false;         ///< Whether they have one for checkpoints, in files,
    std::string store_place{};  ///< or there.
    bool logs = false;          ///< Whether they keep logs:
    std::string log{};          ///< where; empty: in files.
  };

  explicit ProgramCluster(const Options& options) : options_(options) {
    std::string directory = std::filesystem::temp_directory_path() / "longtail_bench.XXXXXX";
    if (mkdtemp(directory.data()) == nullptr) Fail("'" + directory + "' cannot be made");
    directory_ = directory;
    const std::string file = directory_ + "/cluster";
    coordinator_ = std::make_unique<ProgramChild>(
        std::vector<std::string>{"coordinator", "--servers", std::to_string(options.servers),
                                 "--workers", std::to_string(options.workers), "--replicas",
                                 std::to_string(options.replicas), "--write-address", file},
        directory_ + "/coordinator.log");
    if (!AwaitThat(absl::Seconds(20), absl::Milliseconds(10),
                   [&] { return ReadText(file).ends_with('\n'); })) {
      Fail("the coordinator does not start: " + coordinator_->said());
    }
    address_ = ReadText(file);
    address_.pop_back();
    // They wait for one another.
    for (std::uint32_t i = 0; i < options.servers; ++i) servers_.push_back(Launch(i));
    for (const auto& server : servers_) AwaitServing(*server);
  }
  ~ProgramCluster() {
    servers_.clear();
    coordinator_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  ProgramCluster(const ProgramCluster&) = delete;
  ProgramCluster& operator=(const ProgramCluster&) = delete;

  const std::string& address() const { return address_; }
  /// Empty if they have none.
  std::string store() const {
    if (!options_.store_place.empty()) return options_.store_place;
    return options_.store ? directory_ + "/store" : "";
  }
  /// Of one that serves, or was killed.
  std::string SaidBy(std::uint32_t i) const {
    return ReadText(directory_ + "/" + NameOf(i) + ".log");
  }
  static std::string NameOf(std::uint32_t i) { return "server-" + std::to_string(i); }

  /// With SIGKILL.
  void KillServer(std::uint32_t i) { servers_[i].reset(); }

  /// Starts one again that was killed.
  void StartServer(std::uint32_t i) {
    servers_[i] = Launch(i);
    AwaitServing(*servers_[i]);
  }

  /// Starts more, and waits until they serve.
  void AddServers(std::uint32_t count) {
    const std::size_t were = servers_.size();
    for (std::uint32_t i = 0; i < count; ++i) {
      servers_.push_back(Launch(static_cast<std::uint32_t>(servers_.size())));
    }
    for (std::size_t i = were; i < servers_.size(); ++i) AwaitServing(*servers_[i]);
  }

  /// Starts a server that only reads, and waits until it serves.
  void StartReader() {
    servers_.push_back(std::make_unique<ProgramChild>(
        std::vector<std::string>{"serve", "--coordinator", address_, "--name", "reader", "--reads",
                                 "--join-timeout", "30"},
        directory_ + "/reader.log"));
    AwaitServing(*servers_.back());
  }

  ClusterStatus Status() const { return Need(ReadClusterStatus(address_, absl::Seconds(10))); }

  std::uint32_t LanesLedBy(std::uint32_t i) const {
    const ClusterStatus status = Status();
    const auto member = std::ranges::find(status.members, NameOf(i), &Member::name);
    return member == status.members.end() ? 0 : member->lanes;
  }

  /// Waits until any server could be lost again: all replicas lead or have what is acknowledged.
  void AwaitReplicas() const {
    const auto serves = [](const LaneEntry& lane) {
      return lane.role == ReplicaRole::kLeader || lane.role == ReplicaRole::kFollower;
    };
    const bool are_there = AwaitThat(absl::Seconds(60), absl::Milliseconds(50), [&] {
      const ClusterStatus status = Status();
      return status.is_well() &&
             std::ranges::all_of(status.map->servers, [&](const ServerEntry& server) {
               return std::ranges::all_of(server.lanes, serves);
             });
    });
    if (!are_there) Fail("replicas are not in sync after 60 s");
  }

  /// Has lanes elsewhere, and waits until they are.
  void Place(Placing placing, const std::string& server = "") const {
    Need(AskToPlace(address_, {.request = 0, .placing = placing, .lane = {}, .server = server},
                    absl::Seconds(10)));
    if (!AwaitThat(absl::Seconds(60), absl::Milliseconds(20),
                   [&] { return Status().moves_left == 0; })) {
      Fail("lanes are not where they were wanted after 60 s");
    }
  }

 private:
  std::unique_ptr<ProgramChild> Launch(std::uint32_t i) const {
    std::vector<std::string> words = {"serve",
                                      "--coordinator",
                                      address_,
                                      "--name",
                                      NameOf(i),
                                      "--replicas",
                                      std::to_string(options_.replicas),
                                      "--lanes",
                                      std::to_string(options_.lanes),
                                      "--join-timeout",
                                      "30"};
    if (!store().empty()) words.insert(words.end(), {"--store", store()});
    if (options_.logs) {
      words.insert(words.end(),
                   {"--log", options_.log.empty() ? directory_ + "/log" : options_.log});
    }
    return std::make_unique<ProgramChild>(words, directory_ + "/" + NameOf(i) + ".log");
  }
  static void AwaitServing(const ProgramChild& server) {
    if (!AwaitThat(absl::Seconds(40), absl::Milliseconds(10),
                   [&] { return server.said().find("server_serves") != std::string::npos; })) {
      Fail("a server does not serve: " + server.said());
    }
  }

  const Options options_;
  std::string directory_;
  std::string address_;
  std::unique_ptr<ProgramChild> coordinator_;
  std::vector<std::unique_ptr<ProgramChild>> servers_;
};

}  // namespace longtail::bench
