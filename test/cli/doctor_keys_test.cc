// What `longtail doctor` says of keys: those of a client of the cluster, and all that is not that.
#include "cli/key_files.h"
#include "cli/planted_fault.h"
#include "cluster/program_cluster.h"

namespace longtail::cli {
namespace {

using test::CheckFound;
using test::Must;
using test::Outcome;
using test::Plant;
using test::ProgramCluster;
using test::RunDoctorOf;
using test::ScratchDirectory;

TEST_CASE("the doctor finds a cluster with keys well, and keys that are not let in",
          "[cli][doctor][keys]") {
  const ScratchDirectory scratch;
  const auto in = [&](const std::string& name) { return scratch.path() + "/" + name; };
  Must(MakeClusterKeys(in("keys")));
  Must(MakeClusterKeys(in("others")));
  const auto add = [&](const char* of, Role role, const char* name) {
    Must(AddClient(in(of), {.role = role, .name = name}, in(name)).status());
  };
  add("keys", Role::kOperator, "me");
  add("keys", Role::kReader, "web");
  add("keys", Role::kWorker, "gone");
  Must(RemoveClient(in("keys"), "gone"));
  add("others", Role::kOperator, "foreign");
  const ProgramCluster cluster({.servers = 1, .keys = in("keys"), .own_keys = in("me")});
  const std::string bare = cluster.address.substr(0, cluster.address.find('?'));

  for (const char* const name : {"me", "web"}) {
    Plant plant;
    plant.words = {"--coordinator", bare + "?keys=" + in(name)};
    const Outcome well = RunDoctorOf(plant);
    INFO(well.said);
    CHECK(well.code == 0);
    CHECK(well.said.find("ok    server server-0 ") != std::string::npos);
  }
  const auto finds = [](const char* what, const std::string& place, const char* check,
                        const char* fix) {
    CheckFound({what, [&](Plant& p) { p.words = {"--coordinator", place}; }, "fail", check, fix});
  };
  finds("no keys", bare, "coordinator-connection", "longtail keys");
  finds("no such directory", bare + "?keys=" + in("none"), "keys", "readable by its user");
  finds("taken off the list", bare + "?keys=" + in("gone"), "keys", "longtail keys add");
  finds("another cluster's", bare + "?keys=" + in("foreign"), "keys", "longtail keys add");
  const ProgramCluster plain({.servers = 1});
  finds("keys where none are wanted", plain.address + "?keys=" + in("me"), "coordinator-connection",
        "both ends are to have keys");
}

}  // namespace
}  // namespace longtail::cli
