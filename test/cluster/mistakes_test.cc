// What people get wrong when they start a cluster: each mistake has its sentence, soon.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "cluster/cluster_status.h"
#include "cluster/process_fixture.h"
#include "io/this_process.h"
#include "io/zmq_socket.h"
#include "protocol/wire.h"
#include "server/scratch_directory.h"
#include "support/plain_listener.h"
#include "support/program.h"

namespace longtail {
namespace {

using test::Must;
using test::Program;
using test::StartProcesses;

constexpr absl::Duration kSoon = absl::Seconds(5);

// Runs `longtail WORDS`, which must fail soon and say `sentence`.
void CheckFails(std::vector<std::string> words, const std::string& sentence) {
  words.insert(words.begin(), LONGTAIL_PROGRAM);
  const test::Outcome outcome = test::RunProgram(words);
  INFO(words[1] << " says: " << outcome.said);
  CHECK(outcome.code == 1);
  CHECK(outcome.said.find(sentence) != std::string::npos);
  CHECK(outcome.took < kSoon);
}

void CheckServeFails(const std::string& coordinator, const std::string& sentence) {
  CheckFails({"serve", "--coordinator", coordinator, "--name", "s", "--join-timeout", "2"},
             sentence);
}

// Who asks at a wrong place: an operator, a server, a program.
void CheckNobodyJoins(const std::string& coordinator, const std::string& sentence) {
  CAPTURE(coordinator);
  CheckFails({"status", "--cluster", coordinator}, sentence);
  CheckServeFails(coordinator, sentence);
  const absl::Time before = absl::Now();
  const absl::Status status =
      Cluster::Remote({.coordinator = coordinator, .join_timeout = std::chrono::seconds(2)})
          .status();
  CHECK(test::Says(status, sentence));
  CHECK(absl::Now() - before < kSoon);
}

TEST_CASE("mistake: nobody listens at the coordinator's port", "[cluster][mistake]") {
  CheckNobodyJoins("tcp://127.0.0.1:1", "connection refused: nobody listens there");
}

TEST_CASE("mistake: the coordinator's host has another name", "[cluster][mistake]") {
  CheckNobodyJoins("tcp://no-such-host.invalid:7000",
                   "the name 'no-such-host.invalid' cannot be resolved");
}

TEST_CASE("mistake: an address that is none", "[cluster][mistake]") {
  CheckNobodyJoins("127.0.0.1:7000",
                   "cluster '127.0.0.1:7000': no such file; want tcp://HOST:PORT");
  CheckNobodyJoins("tcp://127.0.0.1:70000", "address 'tcp://127.0.0.1:70000'");
  CheckNobodyJoins("http://127.0.0.1:7000", "address 'http://127.0.0.1:7000'");
  CheckNobodyJoins("", "cluster '': want tcp://HOST:PORT");
  CheckFails({"coordinator", "--listen", "127.0.0.1:0"},
             "address '127.0.0.1:0': want tcp://HOST:PORT");
  CheckFails({"coordinator", "--listen", "tcp://127.0.0.1:70000"}, "port 0..65535");
  CheckFails({"serve", "--coordinator", "tcp://127.0.0.1:1", "--listen", "localhost"},
             "address 'localhost': want tcp://HOST:PORT");
}

TEST_CASE("mistake: a cluster file that is missing, empty or something else",
          "[cluster][mistake]") {
  const test::ScratchDirectory directory;
  const std::string file = directory.path() + "/cluster";
  CheckNobodyJoins(file, "cluster '" + file + "': no such file");
  test::WriteWhole(file, "");
  CheckNobodyJoins(file, "cluster file '" + file + "': its first line '' is no tcp://HOST:PORT");
  test::WriteWhole(file, "{}\n");
  CheckNobodyJoins(file, "its first line '{}' is no tcp://HOST:PORT");
}

TEST_CASE("mistake: what listens there is no Longtail process", "[cluster][mistake]") {
  const test::PlainListener silent("");
  CheckNobodyJoins(silent.address(), "accepts connections and says nothing");
  const test::PlainListener http("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
  CheckNobodyJoins(http.address(), "speaks another protocol: it is no Longtail process");
}

TEST_CASE("mistake: the address is a server's", "[cluster][mistake]") {
  const auto coordinator = Must(CoordinatorProcess::Start({.cluster = {.servers = 1}}));
  Program server({LONGTAIL_PROGRAM, "serve", "--coordinator", coordinator->address()});
  REQUIRE(server.AwaitText("server_serves", absl::Seconds(20)));
  const std::string said = server.said();
  const std::size_t at = said.find("address=tcp://") + 8;
  CheckNobodyJoins(said.substr(at, said.find_first_of(" \n", at) - at),
                   "what answers is lane 1 of a server: want the coordinator's address");
}

TEST_CASE("mistake: a server's name is taken", "[cluster][mistake]") {
  const auto coordinator = Must(CoordinatorProcess::Start({.cluster = {.servers = 2}}));
  const std::string& address = coordinator->address();
  Program first({LONGTAIL_PROGRAM, "serve", "--coordinator", address, "--name", "s"});
  REQUIRE(first.AwaitText("still waits for 1 of 2 servers; here: s", absl::Seconds(20)));
  CheckServeFails(address, "server name 's' is taken by another process");

  Program second({LONGTAIL_PROGRAM, "serve", "--coordinator", address, "--name", "t"});
  REQUIRE(first.AwaitText("server_serves", absl::Seconds(20)));
  CheckServeFails(address, "server 's' was another process when this cluster was formed, heard ");
}

TEST_CASE("mistake: a server with other replicas than the cluster", "[cluster][mistake]") {
  const auto coordinator = Must(CoordinatorProcess::Start({.cluster = {.servers = 1}}));
  CheckFails({"serve", "--coordinator", coordinator->address(), "--name", "s", "--replicas", "2",
              "--join-timeout", "2"},
             "replicas 2: the cluster keeps 1 of each lane: want as many");
  const auto replicated =
      Must(CoordinatorProcess::Start({.cluster = {.servers = 2, .replicas = 2}}));
  CheckFails(
      {"serve", "--coordinator", replicated->address(), "--name", "s", "--join-timeout", "2"},
      "server 's' has places for 1 replicas of lanes: this cluster keeps 2 of each");
}

TEST_CASE("mistake: one server keeps a log and another none", "[cluster][mistake]") {
  const auto coordinator = Must(CoordinatorProcess::Start({.cluster = {.servers = 2}}));
  const test::ScratchDirectory directory;
  const Program first({LONGTAIL_PROGRAM, "serve", "--coordinator", coordinator->address(), "--name",
                       "a", "--join-timeout", "30"});
  REQUIRE(Program::Await(absl::Seconds(20), [&] {
    const auto status = ReadClusterStatus(coordinator->address(), absl::Seconds(3));
    return status.ok() && status->waits_for.find("here: a") != std::string::npos;
  }));
  CheckFails({"serve", "--coordinator", coordinator->address(), "--name", "s", "--log",
              directory.path(), "--join-timeout", "2"},
             "server 's' keeps a log, and 'a' none: want all servers of a cluster alike");
  CheckFails({"serve", "--coordinator", coordinator->address(), "--name", "s", "--reads", "--log",
              directory.path(), "--join-timeout", "2"},
             "': a server that only reads keeps none");
}

TEST_CASE("mistake: more lanes than partitions", "[cluster][mistake]") {
  const auto coordinator =
      Must(CoordinatorProcess::Start({.cluster = {.servers = 2, .partitions = 4}}));
  CheckFails({"serve", "--coordinator", coordinator->address(), "--name", "s", "--lanes", "5",
              "--join-timeout", "2"},
             "server 's' with 5 lanes makes 5: want at most 4, one for each partition");
}

TEST_CASE("mistake: the state is another cluster's", "[cluster][mistake]") {
  const test::ScratchDirectory directory;
  const std::string state = directory.path();
  { const auto processes = StartProcesses({.cluster = {.servers = 1}, .state = state}); }
  const auto check = [&](const char* option, const char* value, const std::string& sentence) {
    CheckFails({"coordinator", "--state", state, option, value}, sentence);
  };
  check("--servers", "3", "servers 3: this coordinator's state says 1; want that, or another");
  check("--partitions", "32", "partitions 32: this coordinator's state says 64");
  check("--workers", "2", "workers 2: this coordinator's state says 1");
  check("--step-mode", "synchronous",
        "step mode synchronous: this coordinator's state says asynchronous");
}

TEST_CASE("mistake: two coordinators on one state", "[cluster][mistake]") {
  const test::ScratchDirectory directory;
  const std::vector<std::string> words = {LONGTAIL_PROGRAM, "coordinator", "--state",
                                          directory.path()};
  Program first(words);
  REQUIRE(first.AwaitText("coordinator_listens", absl::Seconds(20)));
  CheckFails({"coordinator", "--state", directory.path()},
             "'" + directory.path() + "' is in use by another coordinator, process " + HostName() +
                 ":" + std::to_string(first.pid()));
}

TEST_CASE("mistake: the state is damaged", "[cluster][mistake]") {
  const test::ScratchDirectory directory;
  { const auto processes = StartProcesses({.cluster = {}, .state = directory.path()}); }
  const std::string file = directory.path() + "/coordinator/state";
  std::string bytes = test::ReadWhole(file);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  test::WriteWhole(file, bytes);
  CheckFails({"coordinator", "--state", directory.path()},
             "'coordinator/state' in file:" + directory.path());
}

TEST_CASE("mistake: an address in use, or not this machine's", "[cluster][mistake]") {
  const test::PlainListener other("");
  CheckFails({"coordinator", "--listen", other.address()},
             "listening on '" + other.address() + "': Address already in use");
  CheckFails({"serve", "--coordinator", "tcp://127.0.0.1:1", "--listen", other.address()},
             "listening on '" + other.address() + "': Address already in use");
  CheckFails({"coordinator", "--plain", "--listen", "tcp://192.0.2.1:0"},
             "listening on 'tcp://192.0.2.1:0': Cannot assign requested address");
}

TEST_CASE("mistake: options out of range", "[cluster][mistake]") {
  CheckFails({"coordinator", "--servers", "0"}, "servers 0: want 1..");
  CheckFails({"coordinator", "--partitions", "3"}, "partitions 3: want a power of two");
  CheckFails({"coordinator", "--workers", "0"}, "workers 0: want 1..");
  CheckFails({"serve", "--coordinator", "tcp://127.0.0.1:1", "--lanes", "0"}, "lanes 0: want 1..");
  CheckFails({"coordinator", "--write-address", "no/such/directory/file"},
             "address file 'no/such/directory/file': cannot be written: No such file");
}

TEST_CASE("mistake: a rank that is out of range or taken", "[cluster][mistake]") {
  const auto processes = StartProcesses({.cluster = {.servers = 1, .workers = 2}});
  const auto cluster = Must(Cluster::Remote(processes.remote()));
  const auto connect = [&](std::uint32_t rank) {
    return cluster->Connect({.timeout = std::chrono::seconds(1), .rank = rank}).status();
  };
  CHECK(test::Says(connect(2), "worker rank 2: this cluster has 2 workers, want 0..1"));
  const auto worker = Must(cluster->Connect({.rank = 1}));
  const absl::Status taken = connect(1);
  CHECK(absl::IsDeadlineExceeded(taken));
  CHECK(test::Says(taken, "worker rank 1 belongs to '"));
  CHECK(test::Says(taken, "until it leaves or is silent for 10s"));
}

TEST_CASE("mistake: a table that is there with another spec", "[cluster][mistake]") {
  const auto processes = StartProcesses({.cluster = {.servers = 1}});
  const auto cluster = Must(Cluster::Remote(processes.remote()));
  Must(cluster->CreateTable(test::ExactSpec("t", 4)));
  CHECK(test::Says(cluster->CreateTable(test::ExactSpec("t", 5)).status(),
                   "table 't' exists with another spec: want an equal one"));
}

TEST_CASE("mistake: a program of another version", "[cluster][mistake]") {
  const auto coordinator = Must(CoordinatorProcess::Start({.cluster = {.servers = 1}}));
  std::string frame;
  Encode(MapRequest{7}, frame);
  frame[4] = 2;  // The version, see protocol/frame.h.
  void* const context = zmq_ctx_new();
  {
    ZmqSocket newer(zmq_socket(context, ZMQ_DEALER));
    newer.Set(ZMQ_LINGER, 0);
    newer.Set(ZMQ_RCVTIMEO, 5000);
    REQUIRE(zmq_connect(newer.get(), coordinator->address().c_str()) == 0);
    REQUIRE(zmq_send(newer.get(), frame.data(), frame.size(), 0) > 0);
    ZmqPart answer;
    REQUIRE(zmq_msg_recv(answer.get(), newer.get(), 0) > 0);
    const auto message = Must(Decode(answer.bytes()));
    const auto* refusal = std::get_if<Acknowledgement>(&message);
    REQUIRE(refusal != nullptr);
    CHECK(test::Says(refusal->status, "version 2: this program reads version 1"));
  }
  zmq_ctx_term(context);
}

}  // namespace
}  // namespace longtail
