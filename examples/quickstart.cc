// Longtail in forty lines: a table in this process, a pull, a push, a checkpoint.
#include <cstdio>
#include <string>
#include <vector>

#include "longtail/cluster.h"

namespace {

absl::Status Run() {
  // Two threads own the rows; checkpoints go to a directory.
  auto cluster = longtail::Cluster::Embedded({.lanes = 2, .store = "quickstart-store"});
  if (!cluster.ok()) return cluster.status();

  auto table = (*cluster)->CreateTable({.name = "movie",
                                        .dim = 4,
                                        .optimizer = {.rule = longtail::AdagradSpec{}},
                                        .initializer = longtail::NormalSpec{.stddev = 0.01F}});
  if (!table.ok()) return table.status();
  auto worker = (*cluster)->Connect();
  if (!worker.ok()) return worker.status();

  // Any 64-bit number is a key. A pull inserts nothing: a new key shows its initial value.
  const std::vector<longtail::Key> keys = {7, 1ULL << 63, 7};
  std::vector<float> rows(keys.size() * 4);
  if (auto status = (*worker)->Pull(*table, keys, rows); !status.ok()) return status;
  std::printf("key 7 before: %+.4f %+.4f %+.4f %+.4f\n", rows[0], rows[1], rows[2], rows[3]);

  // Gradients of equal keys are summed; the optimizer runs where the row is.
  const std::vector<float> gradients(rows.size(), 0.5F);
  if (auto status = (*worker)->Push(*table, keys, gradients); !status.ok()) return status;
  if (auto status = (*worker)->Pull(*table, keys, rows); !status.ok()) return status;
  std::printf("key 7 after:  %+.4f %+.4f %+.4f %+.4f\n", rows[0], rows[1], rows[2], rows[3]);

  const auto earlier = longtail::ListCheckpoints("quickstart-store");
  if (!earlier.ok()) return earlier.status();
  auto saved = (*cluster)->Checkpoint("run-" + std::to_string(earlier->size()));
  if (!saved.ok()) return saved.status();
  std::printf("saved %zu rows in quickstart-store/%s\n", static_cast<std::size_t>(saved->rows),
              saved->name.name.c_str());
  return absl::OkStatus();
}

}  // namespace

int main() {
  const absl::Status status = Run();
  if (!status.ok()) std::fprintf(stderr, "quickstart: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
