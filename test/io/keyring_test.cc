// Keys in a directory: read, checked, and the list of clients as it changes.
#include "io/keyring.h"

#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "io/client_gate.h"
#include "io/key_directory.h"
#include "protocol/frame.h"
#include "protocol/sample_messages.h"
#include "server/scratch_directory.h"

namespace longtail {
namespace {

using test::KeyDirectory;
using test::OpenKeys;
using test::WriteText;

// Asks until it is so, for some seconds.
template <typename Condition>
bool Soon(Condition condition) {
  const absl::Time until = absl::Now() + absl::Seconds(20);
  while (!condition()) {
    if (absl::Now() > until) return false;
    absl::SleepFor(absl::Milliseconds(20));
  }
  return true;
}

TEST_CASE("a directory has the cluster's keys or a client's", "[keys]") {
  const test::ScratchDirectory scratch;
  KeyDirectory keys(scratch.path());
  const KeyPair trainer = keys.Add("trainer", "worker trainer");
  const auto cluster = OpenKeys(keys.cluster());
  CHECK(cluster->is_cluster());
  CHECK(cluster->own().secret_key == keys.pair().secret_key);
  CHECK(cluster->Find(trainer.public_key) == Client{.role = Role::kWorker, .name = "trainer"});
  CHECK(cluster->Find(keys.pair().public_key)->role == Role::kServer);
  CHECK_FALSE(cluster->Find(MakeKeyPair().public_key).has_value());

  const auto client = OpenKeys(keys.of("trainer"));
  CHECK_FALSE(client->is_cluster());
  CHECK(client->own().public_key == trainer.public_key);
  CHECK(client->cluster_public() == keys.pair().public_key);
  CHECK_FALSE(client->Find(trainer.public_key).has_value());
}

TEST_CASE("what is missing or wrong in a directory is named, and no secret is", "[keys]") {
  const test::ScratchDirectory scratch;
  KeyDirectory keys(scratch.path());
  keys.Add("trainer", "worker trainer");
  const auto problem = [](const std::string& directory) {
    return std::string(Keyring::Open(directory).status().message());
  };
  CHECK(problem(scratch.path() + "/none").find("none/cluster.public', the cluster's public key") !=
        std::string::npos);
  const std::string trainer = keys.of("trainer");
  WriteText(trainer + "/client.secret", "not a key");
  CHECK(problem(trainer).find("client.secret' has 9 characters: want the 40") != std::string::npos);
  CHECK(problem(trainer).find("not a key") == std::string::npos);
  const KeyPair other = MakeKeyPair();
  WriteText(trainer + "/client.secret", other.secret_key);
  CHECK(problem(trainer).find("client.secret' is not the secret key of") != std::string::npos);
  CHECK(problem(trainer).find(other.secret_key) == std::string::npos);
  std::filesystem::remove(trainer + "/client.secret");
  CHECK(problem(trainer).find("client.secret', the client's secret key, cannot be read: No such") !=
        std::string::npos);
  keys.SetList("what is this\n");
  CHECK(problem(keys.cluster()).find("clients' line 1: ") != std::string::npos);
  std::filesystem::remove(keys.cluster() + "/clients");
  CHECK(problem(keys.cluster()).find("the list of clients, cannot be read") != std::string::npos);
}

TEST_CASE("clients come and go while the list is used, and a wrong list is not taken", "[keys]") {
  const test::ScratchDirectory scratch;
  KeyDirectory keys(scratch.path());
  const auto cluster = OpenKeys(keys.cluster());
  const std::uint64_t first = cluster->version();
  const KeyPair trainer = keys.Add("trainer", "worker trainer");
  CHECK(Soon([&] { return cluster->Find(trainer.public_key).has_value(); }));
  CHECK(cluster->version() == first + 1);
  const std::string list = keys.list();
  keys.SetList("nonsense\n");
  absl::SleepFor(absl::Seconds(2.5));
  CHECK(cluster->Find(trainer.public_key).has_value());
  CHECK(cluster->version() == first + 1);
  keys.SetList("# nobody\n");
  CHECK(Soon([&] { return !cluster->Find(trainer.public_key).has_value(); }));
}

std::shared_ptr<const PullRequest> PullOf(std::span<const Key> keys) {
  auto pull = std::make_shared<PullRequest>();
  pull->request = 77;
  pull->sections.push_back(
      {.partition = PartitionId{0}, .table = TableId{0}, .dim = 1, .keys = keys, .target = {}});
  return pull;
}

TEST_CASE("a gate lets a client say what its role may", "[keys]") {
  const test::ScratchDirectory scratch;
  KeyDirectory keys(scratch.path());
  const std::string reader = keys.Add("web", "reader web").public_key;
  const std::string worker = keys.Add("t", "worker t").public_key;
  const std::string boss = keys.Add("o", "operator o").public_key;
  ClientGate gate(OpenKeys(keys.cluster()), nullptr);
  const absl::Time now = absl::Now();
  for (const auto& [name, message] : test::SampleMessages()) {
    CAPTURE(name);
    const Role wanted = RoleToSend(message);
    CHECK(gate.Check(reader, message, now).ok() == (wanted == Role::kReader));
    CHECK(gate.Check(worker, message, now).ok() == (wanted <= Role::kWorker));
    CHECK(gate.Check(boss, message, now).ok() == (wanted <= Role::kOperator));
    CHECK(gate.Check(keys.pair().public_key, message, now).ok());
    CHECK(absl::IsPermissionDenied(gate.Check("", message, now)));
  }
  CHECK(gate.Check(reader, RollBack{}, now).message() ==
        "client 'web' is a reader: RollBack wants the role operator");
  CHECK(RequestOf(PullOf({})) == 77);
  CHECK(RequestOf(MapRequest{5}) == 5);
}

TEST_CASE("a client has so many rows a second, and what is more is owed", "[keys]") {
  const test::ScratchDirectory scratch;
  KeyDirectory keys(scratch.path());
  const std::string bounded = keys.Add("b", "worker b rows_per_second=1000").public_key;
  const std::string free = keys.Add("f", "worker f").public_key;
  ClientGate gate(OpenKeys(keys.cluster()), nullptr);
  absl::Time now = absl::Now();
  const std::vector<Key> many(600);
  const auto pull = PullOf(many);
  CHECK(RowsOf(pull) == 600);
  CHECK(gate.Check(bounded, pull, now).ok());
  CHECK(gate.Check(bounded, pull, now).ok());  // 400 were left, now 200 are owed.
  const absl::Status status = gate.Check(bounded, pull, now);
  CHECK(absl::IsUnavailable(status));
  CHECK(status.message() == "client 'b' has used up its 1000 rows a second");
  CHECK(gate.Check(bounded, MapRequest{1}, now).ok());  // No rows.
  CHECK(gate.Check(free, pull, now).ok());
  now += absl::Milliseconds(199);
  CHECK(absl::IsUnavailable(gate.Check(bounded, pull, now)));
  now += absl::Milliseconds(2);
  CHECK(gate.Check(bounded, pull, now).ok());
  // Over a minute it is as many as it may, and one request more.
  std::uint64_t rows = 0;
  for (int i = 0; i < 60'000; ++i) {
    now += absl::Milliseconds(1);
    if (gate.Check(bounded, pull, now).ok()) rows += 600;
  }
  CHECK(rows >= 59'000);
  CHECK(rows <= 61'000);
}

TEST_CASE("a client has so many bytes a second of what it pushes and pulls", "[keys]") {
  const test::ScratchDirectory scratch;
  KeyDirectory keys(scratch.path());
  const std::string bounded = keys.Add("b", "worker b bytes_per_second=7200").public_key;
  ClientGate gate(OpenKeys(keys.cluster()), nullptr);
  absl::Time now = absl::Now();
  const std::vector<Key> many(600);
  const auto pull = PullOf(many);
  CHECK(BytesOf(pull) == 600 * (8 + 4));
  CHECK(gate.Check(bounded, pull, now).ok());
  CHECK(gate.Check(bounded, pull, now).message() ==
        "client 'b' has used up its 7200 bytes a second");
  now += absl::Milliseconds(2);
  CHECK(gate.Check(bounded, pull, now).ok());

  auto push = std::make_shared<PushRequest>();
  const std::vector<float> gradients(30);
  push->sections.push_back({.partition = PartitionId{0},
                            .table = TableId{0},
                            .dim = 3,
                            .sequence = 1,
                            .keys = std::span(many).first(10),
                            .counts = {},
                            .gradients = gradients});
  CHECK(BytesOf(std::shared_ptr<const PushRequest>(push)) == 10 * 8 + 30 * 4);
  for (const auto& [name, message] : test::SampleMessages()) {
    CAPTURE(name);
    CHECK((BytesOf(message) == 0) == (RowsOf(message) == 0));
  }
}

TEST_CASE("a client uses the tables that are its, by whatever message", "[keys]") {
  const test::ScratchDirectory scratch;
  KeyDirectory keys(scratch.path());
  const std::string some = keys.Add("s", "operator s tables=ads,users").public_key;
  const auto names = std::make_shared<TableNames>();
  ClientGate gate(OpenKeys(keys.cluster()), names);
  const absl::Time now = absl::Now();
  const std::vector<Key> one = {1};
  CHECK(gate.Check(some, PullOf(one), now).message() == "table 0 has no name here yet");
  CHECK(absl::IsUnavailable(gate.Check(some, PullOf(one), now)));
  ClusterMap map;
  for (const char* const name : {"ads", "users", "items"}) map.tables.push_back({.name = name});
  names->Set(map);
  CHECK(gate.Check(some, PullOf(one), now).ok());
  auto two = std::make_shared<PullRequest>(*PullOf(one));
  for (const std::uint32_t table : {1U, 2U}) {
    two->sections.push_back(two->sections[0]);
    two->sections.back().table = TableId{table};
  }
  CHECK(gate.Check(some, std::shared_ptr<const PullRequest>(two), now).message() ==
        "client 's': PullRequest is of table 'items', which is not among its tables");
  two->sections.pop_back();
  CHECK(gate.Check(some, std::shared_ptr<const PullRequest>(two), now).ok());
  CHECK(gate.Check(some, StatisticsRequest{1, TableId{1}}, now).ok());
  CHECK(absl::IsPermissionDenied(gate.Check(some, StatisticsRequest{1, TableId{2}}, now)));
  CHECK(gate.Check(some, DefineTable{1, {.name = "ads"}}, now).ok());
  CHECK(absl::IsPermissionDenied(gate.Check(some, DefineTable{1, {.name = "items"}}, now)));

  // Whatever else there is that names a table, and is a client's to say.
  names->Set(ClusterMap{});
  std::set<std::string> asked;
  for (const auto& [name, message] : test::SampleMessages()) {
    if (RoleToSend(message) == Role::kServer) continue;
    if (!gate.Check(some, message, now).ok()) {
      asked.insert(std::string(kMessageKindNames[message.index() + 1]));
    }
  }
  CHECK(asked == std::set<std::string>{"CompactPull", "CompactPush", "DefineTable", "ImportRows",
                                       "PullRequest", "PushRequest", "StatisticsRequest"});
}

}  // namespace
}  // namespace longtail
