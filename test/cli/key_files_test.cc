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
  CHECK(client->keys()->own.public_key == key);
  CHECK(client->keys()->cluster == cluster->keys()->cluster);

  const auto listed = nlohmann::json::parse(Must(ListClients(keys, true)));
  CHECK(listed["cluster"] == cluster->keys()->own.public_key);
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

TEST_CASE("the cluster's key is changed in three steps, in clients' directories, too",
          "[cli][keys]") {
  const test::ScratchDirectory scratch;
  const std::string keys = scratch.path() + "/keys";
  const std::vector<std::string> clients = {scratch.path() + "/a", scratch.path() + "/b"};
  Must(MakeClusterKeys(keys));
  Must(AddClient(keys, {Role::kWorker, "a", 0}, clients[0]));
  Must(AddClient(keys, {Role::kReader, "b", 0}, clients[1]));
  const std::string old = OpenKeys(keys)->keys()->own.public_key;
  const auto trusted = [&](std::vector<std::string> wanted) {
    CHECK(OpenKeys(keys)->keys()->cluster == wanted);
    for (const std::string& client : clients) CHECK(OpenKeys(client)->keys()->cluster == wanted);
  };
  CHECK(Says(UseNextKey(keys, clients).status(), "want longtail keys rotate begin"));

  const std::string next = Must(BeginRotation(keys, clients));
  CHECK(ModeOf(keys + "/cluster.secret.next") == 0600);
  trusted({old, next});
  CHECK(OpenKeys(keys)->keys()->own.public_key == old);
  CHECK(Must(NextPair(keys))->public_key == next);
  CHECK(Must(ListClients(keys, false)).find("trusted " + next) != std::string::npos);
  CHECK(Says(BeginRotation(keys, clients).status(), "cluster.secret.next' is there already"));
  CHECK(Says(EndRotation(keys, clients).status(), "is not in use yet"));
  // A client that is made meanwhile trusts both.
  Must(AddClient(keys, {Role::kWorker, "c", 0}, scratch.path() + "/c"));
  CHECK(OpenKeys(scratch.path() + "/c")->keys()->cluster == std::vector{old, next});

  CHECK(Must(UseNextKey(keys, clients)) == next);
  trusted({next, old});
  CHECK(OpenKeys(keys)->keys()->own.public_key == next);
  CHECK_FALSE(Must(NextPair(keys)).has_value());
  CHECK(Says(BeginRotation(keys, clients).status(), "a rotation is under way"));

  CHECK(Must(EndRotation(keys, clients)) == next);
  trusted({next});
  CHECK(Says(EndRotation(keys, std::vector{scratch.path() + "/none"}).status(),
             "none/client.public', the client's public key, cannot be read"));
}

TEST_CASE("a client has two pairs of keys until the older one is taken away", "[cli][keys]") {
  const test::ScratchDirectory scratch;
  const std::string keys = scratch.path() + "/keys";
  const std::string to = scratch.path() + "/a";
  Must(MakeClusterKeys(keys));
  const Client client{Role::kWorker, "a", 500, 900, {"ads", "users"}};
  const std::string old = Must(AddClient(keys, client, to));
  CHECK(Says(RemoveClient(keys, "a", Removal::kOlderKeys), "and no older one"));
  // Keys are chance: whichever is the smaller, the one that was made last is the newest.
  std::string before = old;
  for (int i = 0; i < 6; ++i) {
    const std::string next = Must(RenewClient(keys, "a", to));
    CHECK(OpenKeys(to)->keys()->own.public_key == next);
    CHECK(OpenKeys(keys)->Find(before) == client);
    CHECK(OpenKeys(keys)->Find(next) == client);
    CHECK(Says(RenewClient(keys, "a", to).status(), "has 2 keys"));
    Must(RemoveClient(keys, "a", Removal::kOlderKeys));
    CHECK_FALSE(OpenKeys(keys)->Find(before).has_value());
    CHECK(OpenKeys(keys)->Find(next) == client);
    before = next;
  }
  CHECK(Says(RenewClient(keys, "b", to).status(), "no client 'b'"));
  const std::string last = Must(RenewClient(keys, "a", to));
  Must(RemoveClient(keys, "a"));  // Whoever is to go has no key left.
  CHECK_FALSE(OpenKeys(keys)->Find(before).has_value());
  CHECK_FALSE(OpenKeys(keys)->Find(last).has_value());
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
  CHECK(run({"keys", "renew", keys, "me", "--to", scratch.path() + "/me"})
            .starts_with("me also has key "));
  CHECK(run({"keys", "remove", keys, "me", "--older"}) == "me has its newest key alone\n");
  CHECK(run({"keys", "remove", keys, "me"}) == "me is on the list no more\n");
  CHECK(run({"keys", "rotate", "begin", keys}).starts_with("the next key is "));
  CHECK(run({"keys", "rotate", "use", keys}).starts_with("the cluster shows "));
  CHECK(run({"keys", "rotate", "end", keys}).ends_with(" alone\n"));
  CLI::App app;
  const KeysCommand command(app);
  CHECK_THROWS_AS(app.parse("keys add " + keys + " server me --to x"), CLI::ValidationError);
}

}  // namespace
}  // namespace longtail::cli
