// A server that stands still makes neither its worker nor itself grow beyond what is stated.
#include <signal.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <vector>

#include "absl/time/clock.h"
#include "cluster/program_cluster.h"
#include "io/this_process.h"
#include "support/resident_bytes.h"

namespace longtail {
namespace {

using test::kIsAddressSanitized;
using test::Must;
using test::ProgramCluster;
using test::ResidentBytesOf;
using test::Says;

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr std::size_t kPushBytesMax = 64 * kMiB;
constexpr std::uint32_t kDim = 64;

// Seconds that the server stands still: LONGTAIL_STALL_SECONDS, or a few.
absl::Duration StallTime() {
  const char* const seconds = std::getenv("LONGTAIL_STALL_SECONDS");
  return absl::Seconds(seconds == nullptr ? 4 : std::atoi(seconds));
}

TEST_CASE("a stopped server bounds its worker's memory and its own queue", "[cluster][process]") {
  ProgramCluster programs({.servers = 1, .workers = 1});
  const auto cluster = Must(Cluster::Remote(programs.remote()));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", kDim)));
  const auto worker = Must(cluster->Connect(
      {.retry_after = std::chrono::milliseconds(500), .push_bytes_max = kPushBytesMax}));
  std::vector<Key> keys;
  for (Key key = 0; key < 4000; ++key) keys.push_back(key);
  KeyBatch batch;
  Must(worker->Prepare(table, keys, batch));
  const std::vector<float> gradients(keys.size() * kDim, -1);  // 1 MiB.
  const PushItem item{.keys = &batch, .gradients = gradients};
  Must(worker->Push({&item, 1}));
  const std::uint64_t worker_before = ResidentBytes();
  const std::uint64_t server_before = ResidentBytesOf(programs.servers[0]->pid());

  programs.servers[0]->Send(SIGSTOP);
  int accepted = 1;
  int refused = 0;
  std::uint64_t worker_peak = 0;
  const absl::Time until = absl::Now() + StallTime();
  while (absl::Now() < until) {
    Pending pending = worker->PushAsync({&item, 1}, {.timeout = std::chrono::milliseconds(100)});
    const bool is_refused = pending.done() && Says(pending.Wait(), "push_bytes_max 67108864");
    ++(is_refused ? refused : accepted);
    worker_peak = std::max(worker_peak, ResidentBytes());
  }  // A push whose handle is dropped is delivered all the same.
  programs.servers[0]->Send(SIGCONT);

  CHECK(refused > 10);
  CHECK(accepted > 50);
  CHECK(accepted <= 1 + static_cast<int>(kPushBytesMax / kMiB));
  Must(worker->Push({&item, 1}));  // Behind all the others.
  ++accepted;
  CHECK(test::Rows(*worker, table, {0, 3999}, kDim) ==
        std::vector<float>(2 * kDim, static_cast<float>(3 + accepted)));
  const std::uint64_t server_after = ResidentBytesOf(programs.servers[0]->pid());
  WARN("worker grew by " << (worker_peak - worker_before) / kMiB << " MiB, server by "
                         << (server_after - server_before) / kMiB << " MiB, " << accepted
                         << " pushes of 1 MiB, " << refused << " refused");
  if (kIsAddressSanitized) return;
  // Gradients are kept until acknowledged, and once more in the frames that wait to be sent.
  CHECK(worker_peak - worker_before < 2 * kPushBytesMax + 32 * kMiB);
  CHECK(server_after < server_before + kPushBytesMax + 32 * kMiB);
}

}  // namespace
}  // namespace longtail
