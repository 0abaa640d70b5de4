// `longtail rollback` has a running cluster go back to a checkpoint. (test/cluster/rollback_test.cc
// has it with processes that are killed.)
#include "cli/rollback_command.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "checkpoint/checkpoint_builder.h"
#include "cli/ckpt.h"
#include "cluster/process_fixture.h"
#include "io/open_store.h"
#include "server/scratch_directory.h"

namespace longtail::cli {
namespace {

using test::Must;
using test::Says;

absl::StatusOr<CommandOutcome> Run(const std::vector<std::string>& words) {
  CLI::App app;
  const RollbackCommand command(app);
  std::vector<std::string> reversed(words.rbegin(), words.rend());
  reversed.emplace_back("rollback");
  app.parse(reversed);
  REQUIRE(command.parsed());
  return command.Run();
}

TEST_CASE("rollback gives a running cluster the rows and the step of a checkpoint",
          "[cli][rollback]") {
  const test::ScratchDirectory directory;
  const test::CheckpointBuilder built = test::ThreeTables();
  built.Write(*Must(OpenStore(directory.path())));
  const auto processes =
      test::StartProcesses({.cluster = {.servers = 2, .partitions = 16}}, 2, directory.path());
  const std::string address = processes.coordinator->address();
  Must(CkptRestore({.store = directory.path()}, {.name = "step-12", .cluster = address}));
  const auto cluster = Must(Cluster::Remote(processes.remote()));
  const TableId user = Must(cluster->FindTable("user"));
  const std::uint64_t hash = Must(cluster->Statistics(user)).hash;
  const auto worker = Must(cluster->Connect());
  const std::vector<Key> keys = {1, 2, 3};
  const std::vector<float> gradients(2 * keys.size(), 1);
  Must(worker->Push(user, keys, gradients));
  CHECK(Must(cluster->Statistics(user)).hash != hash);

  const CommandOutcome outcome =
      Must(Run({"step-12", "--store", directory.path(), "--cluster", address}));

  CHECK(outcome.code == 0);
  CHECK(outcome.output.starts_with("the cluster has the rows of step-12, step 12, after "));
  CHECK(Must(cluster->Statistics(user)).hash == hash);
  CHECK(absl::IsAborted(worker->Push(user, keys, gradients)));

  const auto none = Run({"step-13", "--store", directory.path(), "--cluster", address});
  CHECK(absl::IsNotFound(none.status()));
  CHECK(Says(none.status(), "step-13"));
  CHECK(Must(cluster->Statistics(user)).hash == hash);
}

}  // namespace
}  // namespace longtail::cli
