// What `longtail doctor` says of keys: those of a client of the cluster, and all that is not that.
#include "cli/key_check.h"

#include <nlohmann/json.hpp>

#include "cli/key_files.h"
#include "cli/planted_fault.h"
#include "cluster/program_cluster.h"
#include "io/key_directory.h"

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

TEST_CASE("the doctor and `keys check` see how far the change of a key has come",
          "[cli][doctor][keys]") {
  const ScratchDirectory scratch;
  const std::string keys = scratch.path() + "/keys";
  const std::string me = scratch.path() + "/me";
  Must(MakeClusterKeys(keys));
  Must(AddClient(keys, {.role = Role::kOperator, .name = "me"}, me).status());
  const ProgramCluster cluster({.servers = 1, .keys = keys, .own_keys = me});
  const std::string bare = cluster.address.substr(0, cluster.address.find('?'));
  const auto check = [&] { return Must(CheckKeys(keys, bare, absl::Seconds(2))); };
  const auto await_ready = [&](const char* sentence) {
    KeyCheck last;
    CHECK(test::Program::Await(absl::Seconds(30), [&] {
      // (Who changes its key answers a little later.)
      const absl::StatusOr<KeyCheck> now = CheckKeys(keys, bare, absl::Seconds(2));
      if (now.ok()) last = *now;
      return now.ok() && last.is_ready;
    }));
    INFO(last.text);
    CHECK(last.text.find(sentence) != std::string::npos);
  };
  const auto doctor = [&](int code, const std::string& sentence) {
    Plant plant;
    plant.words = {"--coordinator", bare + "?keys=" + me};
    const Outcome said = RunDoctorOf(plant);
    INFO(said.said);
    CHECK(said.code == code);
    CHECK((said.said.find(sentence) != std::string::npos) == !sentence.empty());
    return said.said;
  };
  CHECK(doctor(0, "ok").find("rotation") == std::string::npos);
  CHECK(check().text.find("2 of 2 places show ") != std::string::npos);

  const std::string old = test::OpenKeys(keys)->keys()->own.public_key;
  const std::string next = Must(BeginRotation(keys, std::vector{me}));
  await_ready("2 of 2 places trust the next key: longtail keys rotate use");
  doctor(0, "2 of 2 places show " + old + ", 0 of 2 places show " + next);
  const auto answer = nlohmann::json::parse(check().json);
  CHECK(answer["ready"] == true);
  CHECK(answer["own_key"] == old);
  CHECK(answer["next_key"] == next);
  REQUIRE(answer["places"].size() == 2);
  for (const auto& place : answer["places"]) {
    CHECK(place["shows"] == old);
    CHECK(place["trusts_next"] == true);
  }
  Must(UseNextKey(keys, std::vector{me}).status());
  await_ready("longtail keys rotate end");
  doctor(0, "2 of 2 places show " + next + ", 0 of 2 places show " + old);
  Must(EndRotation(keys, std::vector{me}).status());
  await_ready("no rotation is under way");
  CHECK(doctor(0, "ok").find("rotation") == std::string::npos);
}

}  // namespace
}  // namespace longtail::cli
