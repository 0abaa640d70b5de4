#include "examples/online/joiner_states.h"

#include <catch2/catch.hpp>
#include <string>

#include "server/cluster_fixture.h"
#include "server/scratch_directory.h"

namespace longtail::examples {
namespace {

using test::Must;
using test::Says;
using test::ScratchDirectory;

TEST_CASE("a joiner's newest state is found, whatever its size, and older ones stay", "[online]") {
  const ScratchDirectory store;
  std::string large(3'000'000, 'x');
  {
    const auto states = Must(JoinerStates::Open(store.path() + "/s"));
    CHECK_FALSE(states->newest());
    Must(states->Write({{"a", "first"}}));
    Must(states->Write({{"a", large}, {"b", ""}}));
    CHECK(Must(ReadTrainerState(*states->newest())).at("a") == large);
  }
  const auto states = Must(JoinerStates::Open(store.path() + "/s"));
  REQUIRE(states->newest());
  CHECK(states->newest()->name.substr(0, 17) == "joiner-000000001-");
  CHECK(Must(ReadTrainerState(*states->newest())) == TrainerState{{"a", large}, {"b", ""}});
  Must(states->Write({{"a", "third"}}));
  CHECK(Must(ListCheckpoints(store.path() + "/s")).size() == 3);
}

TEST_CASE("of two joiners in one store the one that came first ends, and says of whom",
          "[online]") {
  const ScratchDirectory store;
  const auto first = Must(JoinerStates::Open(store.path()));
  Must(first->Write({{"a", "1"}}));
  const auto second = Must(JoinerStates::Open(store.path()));
  Must(first->Write({{"a", "2"}}));  // It has not taken over yet, and then may not.
  const absl::Status late = second->Write({{"a", "2"}});
  CHECK(absl::IsFailedPrecondition(late));
  CHECK(Says(late, "another joiner has written '" + first->newest()->name + "'"));

  const auto third = Must(JoinerStates::Open(store.path()));
  Must(third->Write({{"a", "3"}}));
  CHECK(absl::IsFailedPrecondition(first->Write({{"a", "3"}})));
  Must(third->Write({{"a", "4"}}));
  CHECK(Must(ReadTrainerState(*Must(JoinerStates::Open(store.path()))->newest())).at("a") == "4");
}

TEST_CASE("a store of somebody else's checkpoints is no joiner's", "[online]") {
  const ScratchDirectory store;
  const auto cluster = Must(Cluster::Embedded({.lanes = 1, .store = store.path()}));
  Must(cluster->Checkpoint("online-000000001").status());
  const absl::Status refused = JoinerStates::Open(store.path()).status();
  CHECK(absl::IsFailedPrecondition(refused));
  CHECK(Says(refused, "checkpoint 'online-000000001', which is no joiner's state"));
  CHECK(absl::IsInvalidArgument(JoinerStates::Open("").status()));
}

}  // namespace
}  // namespace longtail::examples
