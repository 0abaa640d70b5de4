// What `longtail doctor` finds. Each fault is planted for real: processes, ports, files, limits,
// mounts, clocks, another program's version. It must be found by its check, and the line below
// must say what to do.
#include <signal.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/doctor.h"
#include "cli/doctor_answer.h"
#include "cli/doctor_cluster.h"
#include "cli/doctor_command.h"
#include "cli/doctor_findings.h"
#include "cli/doctor_machine.h"
#include "cli/doctor_network.h"
#include "cli/doctor_places.h"
#include "cli/planted_fault.h"
#include "cli/tar_file.h"
#include "cluster/program_cluster.h"
#include "support/free_port.h"
#include "support/plain_listener.h"
#include "support/program.h"
#include "support/resident_bytes.h"

namespace longtail::cli {
namespace {

using nlohmann::json;
using test::CheckFound;
using test::Fault;
using test::Find;
using test::FindingsOf;
using test::Outcome;
using test::PlainListener;
using test::Plant;
using test::Program;
using test::ProgramCluster;
using test::RunDoctorOf;
using test::ScratchDirectory;

// An address that no machine has (RFC 5737).
constexpr const char* kNobody = "192.0.2.1";

TEST_CASE("the doctor finds what is wrong with a machine's limits", "[cli][doctor]") {
  const std::vector<Fault> faults = {
      {"few open files", [](Plant& p) { p.After("ulimit -n 128"); }, "fail", "nofile", "ulimit -n"},
      {"not many open files", [](Plant& p) { p.After("ulimit -n 1024"); }, "warn", "nofile",
       "LimitNOFILE"},
      {"more rows than there is memory",
       [](Plant& p) {
         p.words = {"--memory-mib", "100000000"};
       },
       "fail", "memory", "longtail plan"},
      {"more lanes than cores",
       [](Plant& p) {
         p.words = {"--listen", "tcp://127.0.0.1:0", "--lanes", "4000"};
       },
       "warn", "cores", "--lanes"},
  };
  for (const Fault& fault : faults) CheckFound(fault);
  // The address sanitizer reserves more than that.
  if (test::kIsAddressSanitized) return;
  CheckFound({"an address space that a table outgrows",
              [](Plant& p) {
                p.After("ulimit -v 4000000");
                p.words = {"--memory-mib", "3000"};
              },
              "fail", "address-space", "ulimit -v unlimited"});
}

TEST_CASE("the doctor finds what is wrong with names and ports", "[cli][doctor]") {
  const std::vector<Fault> faults = {
      {"somebody listens there",
       [](Plant& p) {
         const auto other = std::make_shared<PlainListener>("");
         p.words = {"--listen", other->address()};
         p.things = {other};
       },
       "fail", "listen", "ss -ltnp"},
      {"a lane's port is past the last",
       [](Plant& p) {
         p.words = {"--listen", "tcp://127.0.0.1:65535", "--lanes", "2"};
       },
       "fail", "listen", "--listen"},
      {"to listen at another machine's address",
       [](Plant& p) {
         p.words = {"--listen", std::string("tcp://") + kNobody + ":7000"};
       },
       "fail", "listen", "ip addr"},
      {"no address at all",
       [](Plant& p) {
         p.words = {"--listen", "7000"};
       },
       "fail", "listen", "tcp://*:7001"},
      {"somebody listens where the pages are to be",
       [](Plant& p) {
         const auto other = std::make_shared<PlainListener>("");
         p.words = {"--admin", other->address().substr(6)};
         p.things = {other};
       },
       "fail", "admin", "give --admin another port"},
      {"to advertise a name that nobody knows",
       [](Plant& p) {
         p.words = {"--advertise", "no-such-host.invalid"};
       },
       "fail", "advertise", "DNS"},
      {"to advertise another machine",
       [](Plant& p) {
         p.words = {"--advertise", kNobody};
       },
       "fail", "advertise", "name of this machine"},
      {"to advertise loopback",
       [](Plant& p) {
         p.words = {"--advertise", "127.0.0.1"};
       },
       "warn", "advertise", "--advertise NAME"},
  };
  for (const Fault& fault : faults) CheckFound(fault);
}

TEST_CASE("the doctor finds what is wrong with directories", "[cli][doctor]") {
  const std::vector<Fault> faults = {
      {"a file where the store is to be",
       [](Plant& p) {
         test::WriteWhole(p.path("store"), "x");
         p.words = {"--store", p.path("store")};
       },
       "fail", "store", "name a directory"},
      {"a place that takes no directories",
       [](Plant& p) {
         p.words = {"--store", "/sys/longtail-store"};
       },
       "fail", "store", "chown"},
      {"a kind of store that there is not",
       [](Plant& p) {
         p.words = {"--log", "s3://bucket/logs"};
       },
       "fail", "log", "--log"},
      {"a state that is damaged",
       [](Plant& p) {
         std::filesystem::create_directories(p.path("state/coordinator"));
         test::WriteWhole(p.path("state/coordinator/state"), "LTCSxxxxxxxxxxxxxxxxxxxxxxxxx");
         p.words = {"--state", p.path("state")};
       },
       "fail", "state", "damaged"},
  };
  for (const Fault& fault : faults) CheckFound(fault);
}

TEST_CASE("the doctor finds a disk that is full, read-only, or memory", "[cli][doctor]") {
  if (geteuid() != 0 ||
      test::RunProgram({"/usr/bin/unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"}).code !=
          0) {
    WARN("[skip] this process may not mount");
    return;
  }
  const auto mounted = [](Plant& p, const std::string& how) {
    p.before = {
        "/usr/bin/unshare", "-m", "/bin/sh", "-c",
        "mount -t tmpfs -o " + how + " none '" + p.directory.path() + "' && exec \"$0\" \"$@\""};
    p.words = {"--log", p.directory.path()};
  };
  const std::vector<Fault> faults = {
      {"a disk with little room", [&](Plant& p) { mounted(p, "size=16m"); }, "fail", "log-room",
       "larger disk"},
      {"a disk without room", [&](Plant& p) { mounted(p, "size=4k"); }, "fail", "log", "free some"},
      {"a disk that is read-only", [&](Plant& p) { mounted(p, "ro"); }, "fail", "log",
       "for writing"},
      {"logs in memory", [&](Plant& p) { mounted(p, "size=2g"); }, "warn", "log-kind", "on a disk"},
  };
  for (const Fault& fault : faults) CheckFound(fault);
}

TEST_CASE("the doctor finds why the coordinator cannot be reached", "[cli][doctor]") {
  const std::vector<Fault> faults = {
      {"no file of that name",
       [](Plant& p) {
         p.words = {"--coordinator", p.path("cluster")};
       },
       "fail", "coordinator-name", "--write-address"},
      {"a name that nobody knows",
       [](Plant& p) {
         p.words = {"--coordinator", "tcp://no-such-host.invalid:7000"};
       },
       "fail", "coordinator-name", "DNS"},
      {"nobody listens",
       [](Plant& p) {
         p.words = {"--coordinator", absl::StrCat("tcp://127.0.0.1:", test::FreePort())};
       },
       "fail", "coordinator-connection", "start the coordinator"},
      {"another program that says nothing",
       [](Plant& p) {
         const auto other = std::make_shared<PlainListener>("");
         p.words = {"--coordinator", other->address()};
         p.things = {other};
       },
       "fail", "coordinator-connection", "kill -CONT"},
      {"a web server",
       [](Plant& p) {
         const auto other = std::make_shared<PlainListener>("HTTP/1.1 400 Bad Request\r\n\r\n");
         p.words = {"--coordinator", other->address()};
         p.things = {other};
       },
       "fail", "coordinator-connection", "is another one"},
      {"servers that are missing",
       [](Plant& p) {
         const std::string file = p.path("cluster");
         p.things = {std::make_shared<Program>(std::vector<std::string>{
             LONGTAIL_PROGRAM, "coordinator", "--listen", "tcp://127.0.0.1:0", "--servers", "3",
             "--write-address", file})};
         REQUIRE(Program::Await(absl::Seconds(20), [&] { return std::filesystem::exists(file); }));
         p.words = {"--coordinator", file};
       },
       "fail", "formed", "--servers"},
  };
  for (const Fault& fault : faults) CheckFound(fault);
}

// Doctors of one cluster, each after what was done to it.
class ClusterDoctor {
 public:
  explicit ClusterDoctor(const ProgramCluster::Options& options) : cluster(options) {}

  void Finds(const char* what, const char* grade, const char* check, const char* fix) const {
    CheckFound({what,
                [this](Plant& p) {
                  p.words = {"--coordinator", cluster.address};
                },
                grade, check, fix});
  }

  ProgramCluster cluster;
};

TEST_CASE("the doctor finds a cluster well, and servers that are not", "[cli][doctor]") {
  ClusterDoctor doctor({.servers = 3, .replicas = 2});
  REQUIRE(doctor.cluster.AwaitReplicas(absl::Seconds(20)));
  Plant plant;
  plant.words = {"--coordinator", doctor.cluster.address, "--store",  plant.path("a/store"),
                 "--log",         plant.path("b/log"),    "--state",  plant.path("state"),
                 "--listen",      "tcp://127.0.0.1:0",    "--bundle", plant.path("bundle.tar")};
  const Outcome well = RunDoctorOf(plant);
  INFO(well.said);
  CHECK(well.code == 0);
  CHECK(well.said.find("0 failed, ") != std::string::npos);
  for (const char* line :
       {"ok    coordinator tcp://127.0.0.1:", "ok    server server-2 ", "ok    leaders ",
        "ok    replicas ", "ok    formed ", "ok    listen ", "clock off by ", "can be made"}) {
    CHECK(well.said.find(line) != std::string::npos);
  }
  // Nothing was left; the archive can be opened and has what it says.
  CHECK_FALSE(std::filesystem::exists(plant.path("a")));
  CHECK_FALSE(std::filesystem::exists(plant.path("b")));
  CHECK_FALSE(std::filesystem::exists(plant.path("state")));
  const Outcome listed = test::RunProgram({"/bin/tar", "tf", plant.path("bundle.tar")});
  CHECK(listed.code == 0);
  for (const char* file : {"doctor.txt", "doctor.json", "status.json", "versions.txt",
                           "proc-self-limits", "proc-meminfo"}) {
    CHECK(listed.said.find(std::string("longtail-doctor/") + file + "\n") != std::string::npos);
  }
  const Outcome text =
      test::RunProgram({"/bin/tar", "xOf", plant.path("bundle.tar"), "longtail-doctor/doctor.txt"});
  CHECK(text.said == well.said);

  doctor.cluster.servers[1]->Send(SIGSTOP);
  doctor.Finds("a server that stands still", "fail", "server-connection", "kill -CONT");
  doctor.cluster.servers[1]->Send(SIGCONT);
  doctor.cluster.servers[1]->Kill();
  doctor.Finds("a server that was killed", "fail", "server-connection", "start server server-1");
  REQUIRE(Program::Await(absl::Seconds(20), [&] {
    const auto status = ReadClusterStatus(doctor.cluster.address, absl::Seconds(3));
    return status.ok() && !status->is_well();
  }));
  doctor.Finds("a server whose lease is over", "fail", "member", "longtail drain");
  REQUIRE(Program::Await(absl::Seconds(20), [&] {
    const auto findings = FindingsOf(RunDoctorOf(
        {.directory = {}, .words = {"--coordinator", doctor.cluster.address}}, {"--json"}));
    return Find(findings, "warn", "replicas").is_object();
  }));
  doctor.Finds("replicas that are missing", "warn", "replicas", "rebalance");
}

TEST_CASE("the doctor tells a lane from the coordinator, and one that stands still",
          "[cli][doctor]") {
  ProgramCluster cluster({.servers = 1});
  const auto status = test::Must(ReadClusterStatus(cluster.address, absl::Seconds(3)));
  const std::string lane = status.map->servers[0].lanes[0].addresses[0];
  CheckFound({"a server's address in the place of the coordinator's",
              [&](Plant& p) {
                p.words = {"--coordinator", lane};
              },
              "fail", "answer", "give the coordinator's"});
  cluster.coordinator->Send(SIGSTOP);
  CheckFound({"a coordinator that stands still",
              [&](Plant& p) {
                p.words = {"--coordinator", cluster.address};
              },
              "fail", "coordinator-connection", "kill -CONT"});
  cluster.coordinator->Send(SIGCONT);
}

TEST_CASE("the doctor finds machines that nothing comes to", "[cli][doctor]") {
  const auto network = test::CutNetwork::Make({"coordinator", "server-0", "here"});
  if (network == nullptr) return;
  ProgramCluster cluster({.servers = 1, .network = network.get()});
  const test::CutNetwork::On here(*network, "here");
  const auto of_cluster = [&](Plant& p) { p.words = {"--coordinator", cluster.address}; };
  network->CutBothWays("here", "server-0");
  CheckFound({"a server behind a firewall", of_cluster, "fail", "server-connection", "firewalls"});
  network->Heal();
  network->CutOneWay("here", "coordinator");
  CheckFound({"a coordinator that nothing comes to", of_cluster, "fail", "coordinator-connection",
              "NetworkPolicies"});
  network->Heal();
  Plant plant;
  of_cluster(plant);
  CHECK(RunDoctorOf(plant).code == 0);
}

TEST_CASE("the doctor finds another version and another clock", "[cli][doctor]") {
  const ScratchDirectory directory;
  const std::string file = directory.path() + "/cluster";
  Program coordinator({LONGTAIL_PROGRAM, "coordinator", "--listen", "tcp://127.0.0.1:0",
                       "--servers", "2", "--write-address", file});
  REQUIRE(Program::Await(absl::Seconds(20), [&] { return std::filesystem::exists(file); }));
  Program old({LONGTAIL_OTHER_VERSION, "serve", "--coordinator", file, "--name", "old"});
  Program late({"/usr/bin/env", "LD_PRELOAD=" LONGTAIL_SKEWED_CLOCK, "LONGTAIL_TEST_SKEW=90",
                LONGTAIL_PROGRAM, "serve", "--coordinator", file, "--name", "late"});
  REQUIRE(old.AwaitText("server_serves", absl::Seconds(20)));
  REQUIRE(late.AwaitText("server_serves", absl::Seconds(20)));
  Plant plant;
  plant.words = {"--coordinator", file};
  const json findings = FindingsOf(RunDoctorOf(plant, {"--json"}));
  INFO(findings.dump(1));
  const json version = Find(findings, "warn", "version");
  REQUIRE(version.is_object());
  CHECK(version.at("subject") == "old");
  CHECK(version.at("seen").get<std::string>().find("Longtail 9.9.9; this program is ") == 0);
  CHECK(version.at("fix").get<std::string>().find("upgrade") == 0);
  const json clock = Find(findings, "fail", "clock");
  REQUIRE(clock.is_object());
  CHECK(clock.at("subject") == "late");
  const std::string seen = clock.at("seen");
  CHECK(std::stod(seen) == Approx(90).margin(0.5));
  CHECK(seen.find(" s ahead of this machine's") != std::string::npos);
  CHECK(clock.at("fix").get<std::string>().find("timedatectl") != std::string::npos);
}

// A machine's files as the system would have them, in a directory.
class MachineFiles {
 public:
  void Put(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(
        std::filesystem::path(directory_.path() + path).parent_path());
    test::WriteWhole(directory_.path() + path, text);
  }
  std::string root() const { return directory_.path(); }

 private:
  ScratchDirectory directory_;
};

TEST_CASE("limits of control groups of both kinds count, the narrowest of all above",
          "[cli][doctor]") {
  MachineFiles second;
  second.Put("/proc/meminfo", "MemTotal: 33554432 kB\nMemAvailable: 16777216 kB\n");
  second.Put("/proc/self/cgroup", "0::/pods/one\n");
  second.Put("/sys/fs/cgroup/memory.max", "max\n");
  second.Put("/sys/fs/cgroup/memory.current", "9000000000\n");
  second.Put("/sys/fs/cgroup/pods/memory.max", "8000000000\n");
  second.Put("/sys/fs/cgroup/pods/memory.current", "7000000000\n");
  second.Put("/sys/fs/cgroup/pods/memory.stat", "anon 1\ninactive_file 3000000000\n");
  second.Put("/sys/fs/cgroup/pods/one/memory.max", "max\n");
  second.Put("/sys/fs/cgroup/pods/one/memory.current", "6000000000\n");
  const auto limit = ReadMemoryLimit(second.root());
  REQUIRE(limit.has_value());
  CHECK(limit->limit_bytes == 8'000'000'000);
  CHECK(limit->used_bytes == 4'000'000'000);
  CHECK(limit->where == "/sys/fs/cgroup/pods");

  MachineFiles first;
  first.Put("/proc/meminfo", "MemTotal: 33554432 kB\nMemAvailable: 16777216 kB\n");
  first.Put("/proc/self/cgroup", "4:cpu,memory:/docker/x\n0::/\n");
  first.Put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "4000000000\n");
  first.Put("/sys/fs/cgroup/memory/memory.usage_in_bytes", "3900000000\n");
  first.Put("/sys/fs/cgroup/memory/memory.stat", "cache 5\ntotal_inactive_file 100000000\n");
  first.Put("/sys/kernel/mm/transparent_hugepage/enabled", "always madvise [never]\n");
  first.Put("/proc/sys/vm/overcommit_memory", "2\n");
  const auto narrow = ReadMemoryLimit(first.root());
  REQUIRE(narrow.has_value());
  CHECK(narrow->limit_bytes == 4'000'000'000);
  CHECK(narrow->used_bytes == 3'800'000'000);

  MachineFiles free;  // A group without a limit: the first version has a number for that.
  free.Put("/proc/meminfo", "MemTotal: 33554432 kB\nMemAvailable: 16777216 kB\n");
  free.Put("/proc/self/cgroup", "4:memory:/\n");
  free.Put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  free.Put("/sys/fs/cgroup/memory/memory.usage_in_bytes", "3900000000\n");
  CHECK(ReadMemoryLimit(free.root())->where == "the machine");
  CHECK(ReadMemoryLimit(free.root())->used_bytes == std::uint64_t{16} << 30);

  const Findings findings = RunDoctor({.memory_mib = 3500, .system_root = first.root()});
  const auto found = [&](const std::string& check, Grade grade, const std::string& fix) {
    for (const Finding& finding : findings.list()) {
      if (finding.check == check && finding.grade == grade) {
        return finding.fix.find(fix) != std::string::npos;
      }
    }
    return false;
  };
  CHECK(found("memory", Grade::kWarn, "longtail plan"));  // 3.42 of 3.73 GiB, 3.54 used.
  CHECK(found("huge-pages", Grade::kWarn, "echo madvise > /sys/"));
  CHECK(found("overcommit", Grade::kWarn, "sysctl vm.overcommit_memory=0"));
  const Findings more = RunDoctor({.memory_mib = 4000, .system_root = first.root()});
  CHECK(more.Count(Grade::kFail) == 1);
}

TEST_CASE("the doctor's findings as text have what to do below", "[cli][doctor]") {
  Findings findings;
  findings.Ok("formed", "", "1 server");
  findings.Warn("clock", "server-1\x1b[2J", "1.0 s ahead", "timedatectl");
  findings.Fail("listen", "tcp://*:7", "in use", "another port");
  CHECK(DoctorText(findings) ==
        "ok    formed              1 server\n"
        "warn  clock server-1?[2J  1.0 s ahead\n"
        "      fix: timedatectl\n"
        "fail  listen tcp://*:7    in use\n"
        "      fix: another port\n"
        "1 failed, 1 to look at, 1 well\n");
}

TEST_CASE("an archive of files is what tar reads", "[cli][tar_file]") {
  const ScratchDirectory directory;
  TarFile tar(absl::FromUnixSeconds(1'700'000'000));
  tar.Add("top/one", std::string(1000, 'x'));
  tar.Add("top/none", "");
  tar.Add("top/two", std::string("a\0b", 3));
  test::WriteWhole(directory.path() + "/t.tar", tar.Bytes());
  CHECK(tar.Bytes().size() % 512 == 0);
  const Outcome unpacked =
      test::RunProgram({"/bin/tar", "xf", directory.path() + "/t.tar", "-C", directory.path()});
  INFO(unpacked.said);
  CHECK(unpacked.code == 0);
  CHECK(test::ReadWhole(directory.path() + "/top/one") == std::string(1000, 'x'));
  CHECK(test::ReadWhole(directory.path() + "/top/none").empty());
  CHECK(test::ReadWhole(directory.path() + "/top/two") == std::string("a\0b", 3));
}

}  // namespace
}  // namespace longtail::cli
