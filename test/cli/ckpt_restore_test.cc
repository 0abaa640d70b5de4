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

  const absl::Status again = CkptRestore(request, options).status();
  CHECK(absl::IsFailedPrecondition(again));
  CHECK(Says(again, "has tables [item, user, rare] and workers ["));
  CHECK(Says(again, "]: want a new one"));
}

}  // namespace
}  // namespace longtail::cli
