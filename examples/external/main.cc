// A program outside of the Longtail tree: trains a row, saves it, loads it into another cluster.
#include <filesystem>
#include <iostream>
#include <span>
#include <string>
#include <vector>

#include "longtail/cluster.h"

namespace {

constexpr longtail::Key kKey = 0x8000'0000'0000'0001;

// The weights of kKey as a new worker of the cluster sees them.
absl::StatusOr<std::vector<float>> RowOf(longtail::Cluster& cluster) {
  const auto table = cluster.FindTable("movie");
  if (!table.ok()) return table.status();
  const auto worker = cluster.Connect();
  if (!worker.ok()) return worker.status();
  std::vector<float> row(3);
  if (auto status = (*worker)->Pull(*table, std::span(&kKey, 1), row); !status.ok()) return status;
  return row;
}

absl::Status TrainAndSave(const longtail::ClusterOptions& options) {
  const auto cluster = longtail::Cluster::Embedded(options);
  if (!cluster.ok()) return cluster.status();
  const auto table =
      (*cluster)->CreateTable({.name = "movie",
                               .dim = 3,
                               .optimizer = {.rule = longtail::SgdSpec{.learning_rate = 0.5F}},
                               .initializer = longtail::ConstantSpec{.value = 1.0F}});
  if (!table.ok()) return table.status();
  const auto worker = (*cluster)->Connect();
  if (!worker.ok()) return worker.status();
  const std::vector<float> gradient = {1.0F, -2.0F, 4.0F};
  if (auto status = (*worker)->Push(*table, std::span(&kKey, 1), gradient); !status.ok()) {
    return status;
  }
  return (*cluster)->Checkpoint("first").status();
}

absl::Status Run(const std::string& store) {
  longtail::ClusterOptions options{.lanes = 2, .partitions = 8, .store = store};
  if (auto status = TrainAndSave(options); !status.ok()) return status;

  options.lanes = 1;
  options.partitions = 4;
  const auto restored = longtail::Cluster::Restore(options, {.store = store, .name = "first"});
  if (!restored.ok()) return restored.status();
  const auto row = RowOf(**restored);
  if (!row.ok()) return row.status();
  // 1 - 0.5 * gradient, exactly: no step of it is rounded.
  if (*row != std::vector<float>{0.5F, 2.0F, -1.0F}) {
    return absl::InternalError("the restored row is not the row that was trained");
  }
  std::cout << "restored row: " << (*row)[0] << ' ' << (*row)[1] << ' ' << (*row)[2] << '\n';
  return absl::OkStatus();
}

}  // namespace

int main() {
  const std::filesystem::path store = std::filesystem::current_path() / "external-store";
  std::filesystem::remove_all(store);
  const absl::Status status = Run(store.string());
  if (!status.ok()) std::cerr << "external: " << status << '\n';
  return status.ok() ? 0 : 1;
}
