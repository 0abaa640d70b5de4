// Keys in a directory: read, checked, and the list of clients as it changes.
#include "io/keyring.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
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
  CHECK(cluster->keys()->own.secret_key == keys.pair().secret_key);
  CHECK(cluster->Find(trainer.public_key) == Client{.role = Role::kWorker, .name = "trainer"});
  CHECK(cluster->Find(keys.pair().public_key)->role == Role::kServer);
  CHECK_FALSE(cluster->Find(MakeKeyPair().public_key).has_value());

  const auto client = OpenKeys(keys.of("trainer"));
  CHECK_FALSE(client->is_cluster());
  CHECK(client->keys()->own.public_key == trainer.public_key);
  CHECK(client->keys()->cluster == std::vector{keys.pair().public_key});
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

// Lines of a log, and how many of them are of an event.
struct Said {
  Log log() {
    return Log([this](LogLevel, std::string_view line) { lines.emplace_back(line); });
  }
  std::ptrdiff_t Count(const std::string& event) const {
    return std::ranges::count_if(
        lines, [&](const std::string& line) { return line.find(event) != line.npos; });
  }

  std::vector<std::string> lines;
};

TEST_CASE("a cluster may have two keys, and who shows either is a server", "[keys]") {
  const test::ScratchDirectory scratch;
  KeyDirectory keys(scratch.path());
  keys.Add("trainer", "worker trainer");
  const KeyPair next = MakeKeyPair();
  const std::string both = keys.pair().public_key + "\n" + next.public_key + "\n";
  WriteText(keys.cluster() + "/cluster.public", both);
  WriteText(keys.of("trainer") + "/cluster.public", both);
  const auto cluster = OpenKeys(keys.cluster());
  CHECK(cluster->keys()->own == keys.pair());
  CHECK(cluster->Find(keys.pair().public_key)->role == Role::kServer);
  CHECK(cluster->Find(next.public_key)->role == Role::kServer);
  CHECK(OpenKeys(keys.of("trainer"))->keys()->cluster ==
        std::vector{keys.pair().public_key, next.public_key});
  // Its own may be any of them.
  WriteText(keys.cluster() + "/cluster.secret", next.secret_key);
  CHECK(OpenKeys(keys.cluster())->keys()->own == next);
  WriteText(keys.cluster() + "/cluster.secret", MakeKeyPair().secret_key);
  CHECK(std::string(Keyring::Open(keys.cluster()).status().message())
            .find("cluster.secret' is not the secret key of") != std::string::npos);
}

TEST_CASE("the cluster's key is changed in three steps while a ring is used", "[keys]") {
  const test::ScratchDirectory scratch;
  KeyDirectory keys(scratch.path());
  const KeyPair old = keys.pair();
  const KeyPair next = MakeKeyPair();
  Said said;
  const auto cluster = *Keyring::Open(keys.cluster(), said.log());
  const std::uint64_t first = cluster->version();

  test::ReplaceText(keys.cluster() + "/cluster.public", old.public_key + "\n" + next.public_key);
  CHECK(Soon([&] { return cluster->keys()->cluster.size() == 2; }));
  CHECK(cluster->Find(next.public_key)->role == Role::kServer);
  CHECK(cluster->keys()->own == old);
  CHECK(cluster->changes() == 1);
  CHECK(cluster->version() == first + 1);

  test::ReplaceText(keys.cluster() + "/cluster.secret", next.secret_key);
  CHECK(Soon([&] { return cluster->keys()->own == next; }));
  CHECK(cluster->keys()->before == old);

  test::ReplaceText(keys.cluster() + "/cluster.public", next.public_key + "\n");
  CHECK(Soon([&] { return cluster->keys()->cluster.size() == 1; }));
  CHECK_FALSE(cluster->keys()->before.has_value());
  CHECK_FALSE(cluster->Find(old.public_key).has_value());
  CHECK(cluster->changes() == 3);
  CHECK(said.Count("keys_read") == 3);
  CHECK(said.Count("keys_not_read") == 0);
  for (const std::string& line : said.lines) CHECK(line.find(next.secret_key) == line.npos);

  // The same again, as the kubelet writes it after each restart.
  test::ReplaceText(keys.cluster() + "/cluster.public", next.public_key + "\n");
  absl::SleepFor(absl::Seconds(1.5));
  CHECK(cluster->keys()->own == next);
  CHECK(cluster->changes() == 3);
}

TEST_CASE("files of keys that are half-written or wrong are not taken, and said once", "[keys]") {
  const test::ScratchDirectory scratch;
  KeyDirectory keys(scratch.path());
  const KeyPair old = keys.pair();
  const KeyPair next = MakeKeyPair();
  const std::string path = keys.cluster() + "/cluster.public";
  const std::string both = old.public_key + "\n" + next.public_key + "\n";
  const struct {
    const char* what;
    std::string text;
    const char* sentence;
  } wrong[] = {{"half a key", both.substr(0, 60), "has 19 characters: want the 40"},
               {"nothing", "", "has 0 characters: want the 40"},
               {"another's", next.public_key, " is not the secret key of "},
               {"one twice", old.public_key + "\n" + old.public_key, "has a key twice"},
               {"too many",
                both + MakeKeyPair().public_key + "\n" + MakeKeyPair().public_key + "\n" +
                    MakeKeyPair().public_key,
                "has 5 keys: want at most 4"}};
  Said said;
  const auto cluster = *Keyring::Open(keys.cluster(), said.log());
  std::ptrdiff_t errors = 0;
  for (const auto& [what, text, sentence] : wrong) {
    CAPTURE(what);
    WriteText(path, text);
    CHECK(Soon([&] {
      cluster->version();
      return said.Count("keys_not_read") > errors;
    }));
    ++errors;
    INFO(said.lines.back());
    CHECK(said.lines.back().find(sentence) != std::string::npos);
    CHECK(said.lines.back().find(old.public_key) != std::string::npos);
    CHECK(cluster->keys()->own == old);
    CHECK(cluster->keys()->cluster == std::vector{old.public_key});
  }
  absl::SleepFor(absl::Seconds(2.5));
  cluster->version();
  CHECK(said.Count("keys_not_read") == errors);
  CHECK(cluster->changes() == 0);
  std::filesystem::remove(path);
  CHECK(Soon([&] {
    cluster->version();
    return said.Count("No such file") == 1;
  }));
  WriteText(path, both);
  CHECK(Soon([&] { return cluster->keys()->cluster.size() == 2; }));
  CHECK(said.Count("keys_not_read") == errors + 1);
}

TEST_CASE("a client's pair is changed as the kubelet does it, and the one before is remembered",
          "[keys]") {
  const test::ScratchDirectory scratch;
  KeyDirectory keys(scratch.path());
  const KeyPair old = keys.Add("trainer", "worker trainer");
  const std::string from = keys.of("trainer");
  const std::string mount = scratch.path() + "/mount";
  // Names are links into ..data, which is a link that is swapped.
  const auto swap = [&](const char* version) {
    const std::string data = mount + "/" + version;
    std::filesystem::create_directories(data);
    for (const char* const file : {"cluster.public", "client.public", "client.secret"}) {
      std::filesystem::copy_file(from + "/" + file, data + "/" + file);
    }
    std::filesystem::create_directory_symlink(version, mount + "/..new");
    std::filesystem::rename(mount + "/..new", mount + "/..data");
  };
  swap("..1");
  for (const char* const file : {"cluster.public", "client.public", "client.secret"}) {
    std::filesystem::create_symlink(std::string("..data/") + file, mount + "/" + file);
  }
  const auto client = OpenKeys(mount);
  CHECK(client->keys()->own == old);
  const KeyPair next = MakeKeyPair();
  WriteText(from + "/client.public", next.public_key);
  WriteText(from + "/client.secret", next.secret_key);
  swap("..2");
  CHECK(Soon([&] { return client->keys()->own == next; }));
  CHECK(client->keys()->before == old);
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
