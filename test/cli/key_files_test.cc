// Keys as `longtail keys` makes them are keys as processes take them.
#include "cli/key_files.h"

#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/keys_command.h"
#include "io/key_directory.h"
#include "server/cluster_fixture.h"
#include "server/scratch_directory.h"

namespace longtail::cli {
namespace {

using test::Must;
using test::OpenKeys;
using test::Says;

unsigned ModeOf(const std::string& path) {
  struct stat found {};
  REQUIRE(stat(path.c_str(), &found) == 0);
  return found.st_mode & 0777U;
}

TEST_CASE("a cluster's keys and its clients' are made, listed and taken away", "[cli][keys]") {
  const test::ScratchDirectory scratch;
  const std::string keys = scratch.path() + "/keys";
  const std::string to = scratch.path() + "/trainer";
  Must(MakeClusterKeys(keys));
  CHECK(ModeOf(keys + "/cluster.secret") == 0600);
  const std::string key = Must(AddClient(keys, {Role::kWorker, "trainer", 500}, to));
  CHECK(ModeOf(to + "/client.secret") == 0600);
  Must(AddClient(keys, {Role::kReader, "web", 0}, scratch.path() + "/web"));

  const auto cluster = OpenKeys(keys);
  CHECK(cluster->is_cluster());
  CHECK(cluster->Find(key) == Client{Role::kWorker, "trainer", 500});
  const auto client = OpenKeys(to);
  CHECK(client->own().public_key == key);
  CHECK(client->cluster_public() == cluster->cluster_public());

  const auto listed = nlohmann::json::parse(Must(ListClients(keys, true)));
  CHECK(listed["cluster"] == cluster->cluster_public());
  REQUIRE(listed["clients"].size() == 2);
  CHECK(listed["clients"][0] == nlohmann::json{{"name", "trainer"},
                                               {"role", "worker"},
                                               {"key", key},
                                               {"rows_per_second", 500},
                                               {"bytes_per_second", 0},
                                               {"tables", nlohmann::json::array()}});
  CHECK(Must(ListClients(keys, false)).find("any      any  reader  web      all") !=
        std::string::npos);

  Must(RemoveClient(keys, "trainer"));
  CHECK_FALSE(OpenKeys(keys)->Find(key).has_value());
  CHECK(nlohmann::json::parse(Must(ListClients(keys, true)))["clients"].size() == 1);
  CHECK(Says(RemoveClient(keys, "trainer"), "no client 'trainer' in"));
}

TEST_CASE("keys that are there are not overwritten, and names are used once", "[cli][keys]") {
  const test::ScratchDirectory scratch;
  const std::string keys = scratch.path() + "/keys";
  const std::string to = scratch.path() + "/a";
  Must(MakeClusterKeys(keys));
  CHECK(Says(MakeClusterKeys(keys), "cluster.public' is there already"));
  Must(AddClient(keys, {Role::kWorker, "a", 0}, to));
  CHECK(Says(AddClient(keys, {Role::kReader, "a", 0}, scratch.path() + "/b").status(),
             "client 'a' is in"));
  CHECK(Says(AddClient(keys, {Role::kWorker, "b", 0}, to).status(), "is there already"));
  CHECK(Says(AddClient(keys, {Role::kWorker, "b c", 0}, scratch.path() + "/b").status(),
             "'c': want rows_per_second=N"));
  CHECK_FALSE(std::filesystem::exists(scratch.path() + "/b/client.secret"));
  CHECK(Says(AddClient(to, {Role::kWorker, "b", 0}, scratch.path() + "/b").status(),
             "are a client's: want the cluster's"));
  CHECK(nlohmann::json::parse(Must(ListClients(keys, true)))["clients"].size() == 1);
  // What people wrote into the list stays.
  std::ofstream(keys + "/clients", std::ios::app) << "# until spring";
  Must(AddClient(keys, {Role::kReader, "b", 0}, scratch.path() + "/b"));
  Must(RemoveClient(keys, "b"));
  CHECK(test::ReadWhole(keys + "/clients").find("# until spring\n") != std::string::npos);
}

TEST_CASE("the command makes them", "[cli][keys]") {
  const test::ScratchDirectory scratch;
  const std::string keys = scratch.path() + "/keys";
  const auto run = [](std::vector<std::string> words) {
    CLI::App app;
    const KeysCommand command(app);
    std::reverse(words.begin(), words.end());
    app.parse(words);
    REQUIRE(command.parsed());
    return Must(command.Run()).output;
  };
  CHECK(run({"keys", "new", keys}).find("nobody is let in yet") != std::string::npos);
  CHECK(run({"keys", "add", keys, "operator", "me", "--to", scratch.path() + "/me"})
            .starts_with("operator me has key "));
  CHECK(run({"keys", "ls", keys}).find("operator  me") != std::string::npos);
  CHECK(run({"keys", "remove", keys, "me"}) == "me is on the list no more\n");
  CLI::App app;
  const KeysCommand command(app);
  CHECK_THROWS_AS(app.parse("keys add " + keys + " server me --to x"), CLI::ValidationError);
}

}  // namespace
}  // namespace longtail::cli
