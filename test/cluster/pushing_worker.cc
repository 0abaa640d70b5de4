// A worker that tests kill: pushes -1 to the keys 0..63 of table "t", whose rows have one weight,
// again and again. Writes a line with how many were acknowledged after each.
//
//   pushing_worker COORDINATOR RANK
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "longtail/cluster.h"

namespace longtail {
namespace {

absl::Status Push(const char* coordinator, std::uint32_t rank) {
  auto cluster = Cluster::Remote({.coordinator = coordinator});
  if (!cluster.ok()) return cluster.status();
  const auto table = (*cluster)->FindTable("t");
  if (!table.ok()) return table.status();
  auto worker = (*cluster)->Connect({.rank = rank});
  if (!worker.ok()) return worker.status();
  std::vector<Key> keys;
  for (Key key = 0; key < 64; ++key) keys.push_back(key);
  const std::vector<float> gradients(keys.size(), -1);
  for (int acknowledged = 1;; ++acknowledged) {
    absl::Status status = (*worker)->Push(*table, keys, gradients);
    status.Update((*worker)->EndStep());
    if (!status.ok()) return status;
    std::printf("%d\n", acknowledged);
    std::fflush(stdout);
  }
}

}  // namespace
}  // namespace longtail

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const absl::Status status =
      longtail::Push(argv[1], static_cast<std::uint32_t>(std::strtoul(argv[2], nullptr, 10)));
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return 1;
}
