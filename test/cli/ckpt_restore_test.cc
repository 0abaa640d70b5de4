// A checkpoint is loaded into a running cluster that is new, and into no other.
#include <catch2/catch.hpp>

#include "checkpoint/checkpoint_builder.h"
#include "cli/ckpt.h"
#include "cluster/process_fixture.h"
#include "io/open_store.h"
#include "server/scratch_directory.h"

namespace longtail::cli {
namespace {

using test::Must;
using test::Says;

TEST_CASE("ckpt restore gives a new cluster the rows and the step", "[cli][ckpt]") {
  const test::ScratchDirectory directory;
  const test::CheckpointBuilder built = test::ThreeTables();
  built.Write(*Must(OpenStore(directory.path())));
  const auto processes = test::StartProcesses({.cluster = {.servers = 2, .partitions = 16}});
  const CkptRequest request{.store = directory.path()};
  const CkptRestoreOptions options{.name = "step-12", .cluster = processes.coordinator->address()};

  const CommandOutcome outcome = Must(CkptRestore(request, options));

  CHECK(outcome.code == 0);
  CHECK(outcome.output == "cluster " + options.cluster +
                              " has 3 tables and 246 rows of step-12, and goes on from step 12\n");
  const auto cluster = Must(Cluster::Remote(processes.remote()));
  const TableId user = Must(cluster->FindTable("user"));
  CHECK(Must(cluster->Statistics(user)).rows == 90);
  const auto worker = Must(cluster->Connect());
  for (const auto& [key, row] : built.tables[1].rows) {
    CHECK(test::Rows(*worker, user, {key}, 2) == row.values);
  }

  // A table by itself comes into a cluster that trains.
  const auto others = test::StartProcesses({.cluster = {.servers = 2, .partitions = 4}});
  const auto trains = Must(Cluster::Remote(others.remote()));
  const TableId own = Must(trains->CreateTable(built.tables[0].spec));
  const auto pushes = Must(trains->Connect());
  Must(pushes->Push(own, std::vector<Key>{1, 2},
                    std::vector<float>(2 * built.tables[0].spec.dim, 1)));
  const std::uint64_t hash = Must(trains->Statistics(own)).hash;
  const std::string there = others.coordinator->address();
  CHECK(Must(CkptRestore(request, {.name = "step-12", .cluster = there, .tables = {"user"}}))
            .output == "cluster " + there + " has 1 table more, with 90 rows of step-12\n");
  const auto sees = Must(Cluster::Remote(others.remote()));
  const TableId added = Must(sees->FindTable("user"));
  CHECK(Must(sees->Statistics(added)).hash == Must(cluster->Statistics(user)).hash);
  CHECK(Must(trains->Statistics(own)).hash == hash);
  const auto refused = [&](std::vector<std::string> tables) {
    return CkptRestore(request, {.name = "step-12", .cluster = there, .tables = std::move(tables)})
        .status();
  };
  CHECK(absl::IsAlreadyExists(refused({"rare", "user"})));
  CHECK(Says(refused({"rare", "user"}), "table 'user' is here already: want one that is not"));
  CHECK(absl::IsNotFound(refused({"nobody"})));
  CHECK(Says(refused({"nobody"}), "checkpoint 'step-12' has [item, user, rare]"));
  CHECK_FALSE(Must(Cluster::Remote(others.remote()))->FindTable("rare").ok());

  const absl::Status again = CkptRestore(request, options).status();
  CHECK(absl::IsFailedPrecondition(again));
  CHECK(Says(again, "has tables [item, user, rare] and workers ["));
  CHECK(Says(again, "]: want a new one"));
}

}  // namespace
}  // namespace longtail::cli
