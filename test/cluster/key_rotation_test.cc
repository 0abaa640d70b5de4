// The cluster's own key, and a client's, are changed while all runs: step by step, in directories
// that get each step at different times, as those of pods do. Nobody is started again, each push
// counts once, and who has the old key alone is refused at the end.
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cluster/coordinator_place.h"
#include "cluster/counted_pushes.h"
#include "cluster/program_cluster.h"
#include "io/key_directory.h"
#include "server/scratch_directory.h"
#include "support/program.h"

namespace longtail {
namespace {

namespace fs = std::filesystem;
using test::CountedPushes;
using test::Must;
using test::Outcome;
using test::Program;
using test::ProgramCluster;

// No push waits for longer, whatever step is made: a connection is refused for a moment alone.
constexpr absl::Duration kStandstillMax = absl::Seconds(10);

// The keys as `longtail keys` makes them, and the directories in which processes see them.
class Secrets {
 public:
  Secrets() {
    Keys({"new", keys()});
    constexpr std::array<std::array<const char*, 2>, 5> kClients = {{{"worker", "trainer"},
                                                                     {"worker", "pusher"},
                                                                     {"worker", "late"},
                                                                     {"reader", "web"},
                                                                     {"operator", "me"}}};
    for (const auto& [role, name] : kClients) {
      Keys({"add", keys(), role, name, "--to", made(name)});
    }
  }

  std::string keys() const { return made("keys"); }
  std::string made(const std::string& name) const { return scratch_.path() + "/made/" + name; }
  std::string mounts() const { return scratch_.path() + "/mounts"; }
  std::string mount(const std::string& name) const { return mounts() + "/" + name; }

  /// longtail keys WORDS...
  static std::string Keys(std::vector<std::string> words, int code = 0) {
    words.insert(words.begin(), {LONGTAIL_PROGRAM, "keys"});
    const Outcome outcome = test::RunProgram(words, absl::Seconds(60));
    INFO(words[2] << " says: " << outcome.said);
    CHECK(outcome.code == code);
    return outcome.said;
  }

  /// One step of the change of the cluster's key, on the files that were made.
  void Rotate(const std::string& step) const {
    std::vector<std::string> words = {"rotate", step, keys()};
    for (const char* const name : {"trainer", "pusher", "web", "me"}) {  // Not the late one.
      words.insert(words.end(), {"--client", made(name)});
    }
    Keys(words);
  }

  /// Brings what was made to a process, as the kubelet does: names are links into ..data, a link
  /// that is swapped.
  void Bring(const std::string& made_name, const std::string& name) {
    const std::string version = absl::StrCat("..", ++version_);
    fs::create_directories(mount(name) + "/" + version);
    for (const auto& file : fs::directory_iterator(made(made_name))) {
      const std::string word = file.path().filename();
      fs::copy_file(file.path(), mount(name) + "/" + version + "/" + word);
      if (!fs::is_symlink(mount(name) + "/" + word)) {
        fs::create_symlink("..data/" + word, mount(name) + "/" + word);
      }
    }
    fs::create_directory_symlink(version, mount(name) + "/..new");
    fs::rename(mount(name) + "/..new", mount(name) + "/..data");
  }

 private:
  const test::ScratchDirectory scratch_;
  int version_ = 0;
};

// How long there was no new acknowledgement, at the most.
class Standstill {
 public:
  explicit Standstill(const CountedPushes& pushes)
      : thread_([this, &pushes] {
          int before = pushes.acknowledged();
          absl::Time at = absl::Now();
          while (!stop_) {
            absl::SleepFor(absl::Milliseconds(5));
            longest_ms_ = std::max(longest_ms_, absl::ToInt64Milliseconds(absl::Now() - at));
            if (pushes.acknowledged() == before) continue;
            before = pushes.acknowledged();
            at = absl::Now();
          }
        }) {}
  ~Standstill() { Longest(); }

  /// Ends it.
  absl::Duration Longest() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
    return absl::Milliseconds(longest_ms_);
  }

 private:
  std::atomic<bool> stop_ = false;
  std::int64_t longest_ms_ = 0;  // The thread's own, while that runs.
  std::thread thread_;
};

TEST_CASE("the cluster's key is changed amid pushes, and nobody is started again",
          "[cluster][keys][rotation]") {
  Secrets secrets;
  // Those of the cluster, and clients; the order in which a step comes to them.
  const std::vector<std::string> cluster_places = {"server-1", "coordinator", "reader-0",
                                                   "server-0", "server-2"};
  const std::vector<std::string> client_places = {"trainer", "pusher", "web", "me"};
  for (const std::string& name : cluster_places) secrets.Bring("keys", name);
  for (const std::string& name : client_places) secrets.Bring(name, name);
  secrets.Bring("late", "late");
  ProgramCluster programs({.servers = 3,
                           .workers = 4,
                           .keeps_log = true,
                           .replicas = 2,
                           .keys = secrets.mounts(),
                           .has_keys_each = true,
                           .own_keys = secrets.mount("me")});
  const std::string bare = Must(FindCoordinator(programs.address)).address;
  const auto as = [&](const std::string& name) { return bare + "?keys=" + secrets.mount(name); };
  Program reading({LONGTAIL_PROGRAM, "serve", "--coordinator", programs.address, "--name",
                   "reader-0", "--listen", "tcp://127.0.0.1:0", "--join-timeout", "30", "--reads",
                   "--keys", secrets.mount("reader-0")});
  REQUIRE(reading.AwaitText("server_serves", absl::Seconds(30)));
  REQUIRE(programs.AwaitReplicas(absl::Seconds(30)));

  const auto trainer = Must(Cluster::Remote({.coordinator = as("trainer")}));
  const TableId counted = Must(trainer->CreateTable(test::ExactSpec("counted", 4)));
  const TableId table = Must(trainer->CreateTable(test::ExactSpec("t", 1)));
  Program pusher({LONGTAIL_PUSHING_WORKER, as("pusher"), "2"});
  const auto pushed = [&] {
    const std::string said = pusher.said();
    return std::count(said.begin(), said.end(), '\n');
  };
  const auto web = Must(Cluster::Remote({.coordinator = as("web")}));
  const auto reader = Must(web->ConnectReader({.retry_after = std::chrono::milliseconds(300)}));
  CountedPushes pushes(*trainer, counted);
  REQUIRE(pushes.AwaitMore());
  Standstill standstill(pushes);
  const auto all_go_on = [&] {
    CHECK(pushes.AwaitMore());
    const auto before = pushed();
    CHECK(Program::Await(absl::Seconds(20), [&] { return pushed() > before + 3; }));
    std::vector<float> row(1);
    const absl::Status pulled = reader->Pull(table, std::vector<Key>{5}, row);
    INFO(pulled.ToString());
    CHECK(pulled.ok());
  };
  const auto check = [&](int code) {
    return Secrets::Keys({"check", secrets.keys(), "--cluster", bare}, code);
  };
  const auto await_check = [&](const std::string& sentence) {
    std::string said;
    CHECK(Program::Await(absl::Seconds(60), [&] {
      const Outcome outcome =
          test::RunProgram({LONGTAIL_PROGRAM, "keys", "check", secrets.keys(), "--cluster", bare},
                           absl::Seconds(60));
      said = outcome.said;
      return outcome.code == 0 && said.find(sentence) != std::string::npos;
    }));
    INFO(said);
    CHECK(said.find(sentence) != std::string::npos);
  };
  const auto bring = [&](const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      const bool is_client = std::ranges::find(client_places, name) != client_places.end();
      secrets.Bring(is_client ? name : "keys", name);
      absl::SleepFor(absl::Milliseconds(600));  // Pods do not get it at once.
      all_go_on();
    }
  };
  const std::string old_secret = test::ReadWhole(secrets.keys() + "/cluster.secret");
  const std::string old_public = test::ReadWhole(secrets.keys() + "/cluster.public");
  CHECK(check(0).find("no rotation is under way") != std::string::npos);

  // All trust the next key, beside the one in use.
  secrets.Rotate("begin");
  CHECK(check(3).find("not trusted") != std::string::npos);
  bring({"server-1", "trainer", "coordinator", "web"});
  bring({"reader-0", "me", "server-0", "pusher", "server-2"});
  await_check("longtail keys rotate use");

  // Servers and coordinator show it. Some do while others do not yet.
  secrets.Rotate("use");
  bring(cluster_places);
  bring(client_places);  // Nothing that they would need: which key is tried first.
  await_check("longtail keys rotate end");

  // A trainer has a new pair of its own.
  Secrets::Keys({"renew", secrets.keys(), "trainer", "--to", secrets.made("trainer")});
  bring(cluster_places);
  bring({"trainer"});
  absl::SleepFor(absl::Seconds(2));
  Secrets::Keys({"remove", secrets.keys(), "trainer", "--older"});

  // Nobody trusts the old one any more.
  secrets.Rotate("end");
  bring({"me", "server-2", "pusher", "coordinator", "trainer"});
  bring({"server-0", "reader-0", "web", "server-1"});
  await_check("no rotation is under way");
  all_go_on();
  REQUIRE(programs.AwaitReplicas(absl::Seconds(30)));

  // Who trusts the old key alone, or is it, is refused.
  const auto refused = [&](const std::string& directory) {
    const Outcome outcome =
        test::RunProgram({LONGTAIL_PROGRAM, "status", "--cluster", bare + "?keys=" + directory});
    INFO(outcome.said);
    CHECK(outcome.code == 1);
    CHECK(outcome.said.find("refuses the keys of") != std::string::npos);
  };
  refused(secrets.mount("late"));
  const std::string impostor = secrets.made("impostor");
  test::WriteText(impostor + "/cluster.public",
                  test::ReadWhole(secrets.keys() + "/cluster.public") + old_public);
  test::WriteText(impostor + "/cluster.secret", old_secret);
  test::WriteText(impostor + "/clients", "");
  refused(impostor);

  pushes.Stop();
  CHECK(pushes.AreExact());
  const absl::Duration longest = standstill.Longest();
  WARN("the longest time without an acknowledged push: " << absl::FormatDuration(longest));
  CHECK(longest < kStandstillMax);
  pusher.Kill();
  // Its last push may have come to one lane and not to another; none was begun after that.
  const auto acknowledged = static_cast<float>(3 + pushed());
  const auto worker = Must(trainer->Connect());
  const std::vector<float> rows = test::Rows(*worker, table, test::KeysBelow(64), 1);
  CHECK(std::ranges::count(rows, acknowledged) + std::ranges::count(rows, acknowledged + 1) == 64);
  std::vector<const Program*> all = {programs.coordinator.get(), &reading};
  for (const auto& server : programs.servers) all.push_back(server.get());
  for (const Program* program : all) {
    CHECK(waitpid(program->pid(), nullptr, WNOHANG) == 0);
    const std::string said = program->said();
    INFO(said);
    CHECK(said.find("keys_not_read") == std::string::npos);
    CHECK(said.find("listens_with_other_key") != std::string::npos);
    CHECK(said.find("error ") == std::string::npos);
  }
}

}  // namespace
}  // namespace longtail
