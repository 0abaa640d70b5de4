// A coordinator and servers within this process, over real sockets.
#pragma once

#include <catch2/catch.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "cluster/coordinator_process.h"
#include "cluster/server_process.h"
#include "server/cluster_fixture.h"

namespace longtail::test {

struct Processes {
  std::unique_ptr<CoordinatorProcess> coordinator;
  std::vector<std::unique_ptr<ServerProcess>> servers;

  RemoteOptions remote() const { return {.coordinator = coordinator->address()}; }
};

inline Processes StartProcesses(CoordinatorProcess::Options options, std::uint32_t lanes = 1,
                                const std::string& store = "",
                                const std::string& ipc_directory = "") {
  Processes processes;
  processes.coordinator = Must(CoordinatorProcess::Start(options));
  // Each returns when all are there.
  std::vector<absl::StatusOr<std::unique_ptr<ServerProcess>>> started;
  for (std::uint32_t i = 0; i < options.cluster.servers; ++i) {
    started.emplace_back(absl::UnknownError("not started"));
  }
  std::vector<std::thread> threads;
  for (std::uint32_t i = 0; i < options.cluster.servers; ++i) {
    threads.emplace_back([&, i] {
      started[i] = ServerProcess::Start({.coordinator = processes.coordinator->address(),
                                         .name = "server-" + std::to_string(i),
                                         .lanes = lanes,
                                         .ipc_directory = ipc_directory,
                                         .store = store,
                                         .join_timeout = absl::Seconds(20)});
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (auto& server : started) processes.servers.push_back(Must(std::move(server)));
  return processes;
}

}  // namespace longtail::test
