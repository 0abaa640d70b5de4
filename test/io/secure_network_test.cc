// Sockets with keys: who has one is let in, and says what is his to say; nobody else is, or does.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "io/key_directory.h"
#include "io/zmq_keys.h"
#include "io/zmq_network.h"
#include "io/zmq_zap.h"
#include "server/scratch_directory.h"

namespace longtail {
namespace {

using test::KeyDirectory;
using test::OpenKeys;

constexpr NodeId kServer{1};

std::unique_ptr<ZmqNetwork> NetworkOf(const std::string& keys) {
  return *ZmqNetwork::Create({.keys = keys.empty() ? nullptr : OpenKeys(keys)});
}

std::unique_ptr<ZmqEndpoint> Listen(ZmqNetwork& network, const std::string& at) {
  const std::string listen[] = {at};
  auto joined = network.Join(kServer, listen);
  INFO(joined.status().ToString());
  REQUIRE(joined.ok());
  return *std::move(joined);
}

std::unique_ptr<ZmqEndpoint> Client(ZmqNetwork& network, const ZmqEndpoint& server) {
  auto client = *network.Join(NodeId{0}, {});
  REQUIRE(client->Connect(kServer, server.addresses()[0]).ok());
  return client;
}

std::vector<Envelope> Take(Transport& transport, std::size_t count,
                           absl::Duration limit = absl::Seconds(10)) {
  std::vector<Envelope> events;
  const absl::Time until = absl::Now() + limit;
  while (events.size() < count && absl::Now() < until) transport.Receive(until, events);
  return events;
}

TEST_CASE("with keys a request travels and its answer back", "[io][zmq][keys]") {
  const test::ScratchDirectory scratch;
  KeyDirectory keys(scratch.path());
  keys.Add("trainer", "worker trainer");
  const auto servers = NetworkOf(keys.cluster());
  const auto clients = NetworkOf(keys.of("trainer"));
  const bool is_ipc = GENERATE(false, true);
  const std::string at = is_ipc ? "ipc://" + scratch.path() + "/socket" : "tcp://127.0.0.1:0";
  CAPTURE(at);
  const auto server = Listen(*servers, at);
  const auto client = Client(*clients, *server);

  client->Send({NodeId{0}, kServer, ImportStep{7, 21}});
  const auto requests = Take(*server, 1);
  REQUIRE(requests.size() == 1);
  CHECK(std::get<ImportStep>(requests[0].body).step == 21);
  server->Send({kServer, requests[0].source, Acknowledgement{7, {}, 5}});
  const auto answers = Take(*client, 1);
  REQUIRE(answers.size() == 1);
  CHECK(std::get<Acknowledgement>(answers[0].body).step == 5);
}

TEST_CASE("who listens connects to others, too, and is a server to them", "[io][zmq][keys]") {
  const test::ScratchDirectory scratch;
  const KeyDirectory keys(scratch.path());
  const auto network = NetworkOf(keys.cluster());
  const auto one = Listen(*network, "tcp://127.0.0.1:0");
  const auto other = Listen(*network, "tcp://127.0.0.1:0");
  // Behind its own bind, and the other way about: options are those of the moment.
  REQUIRE(one->Connect(NodeId{2}, other->addresses()[0]).ok());
  REQUIRE(other->Connect(NodeId{2}, one->addresses()[0]).ok());
  for (int i = 0; i < 2; ++i) {
    ZmqEndpoint& from = i == 0 ? *one : *other;
    ZmqEndpoint& to = i == 0 ? *other : *one;
    from.Send({kServer, NodeId{2}, CloseSession{9, SessionId{4}}});  // A server's alone to say.
    const auto events = Take(to, 1);
    REQUIRE(events.size() == 1);
    CHECK(std::get<CloseSession>(events[0].body).request == 9);
    to.Send({kServer, events[0].source, Acknowledgement{9, {}, 0}});
    CHECK(Take(from, 1).size() == 1);
  }
}

TEST_CASE("what is not a client's to say is answered so, counted, and goes no further",
          "[io][zmq][keys]") {
  const test::ScratchDirectory scratch;
  KeyDirectory keys(scratch.path());
  keys.Add("web", "reader web");
  const auto servers = NetworkOf(keys.cluster());
  const auto clients = NetworkOf(keys.of("web"));
  const auto server = Listen(*servers, "tcp://127.0.0.1:0");
  const auto client = Client(*clients, *server);

  client->Send({NodeId{0}, kServer, RollBack{11, "step-1", 1, 2}});
  // A loop takes it, and nothing comes of it.
  CHECK(Take(*server, 1, absl::Seconds(1)).empty());
  const auto answers = Take(*client, 1);
  REQUIRE(answers.size() == 1);
  const auto& answer = std::get<Acknowledgement>(answers[0].body);
  CHECK(answer.request == 11);
  CHECK(absl::IsPermissionDenied(answer.status));
  CHECK(answer.status.message() == "client 'web' is a reader: RollBack wants the role operator");
  CHECK(server->counters().denied == 1);

  client->Send({NodeId{0}, kServer, MapRequest{12}});
  CHECK(Take(*server, 1).size() == 1);
  CHECK(server->counters().denied == 1);
}

TEST_CASE("a client that has used up its rows is told so, which is counted by itself",
          "[io][zmq][keys]") {
  const test::ScratchDirectory scratch;
  KeyDirectory keys(scratch.path());
  keys.Add("slow", "worker slow rows_per_second=1");
  const auto servers = NetworkOf(keys.cluster());
  const auto clients = NetworkOf(keys.of("slow"));
  const auto server = Listen(*servers, "tcp://127.0.0.1:0");
  const auto client = Client(*clients, *server);
  const std::vector<Key> many(600);
  const auto pull = [&](std::uint64_t request) {
    auto message = std::make_shared<PullRequest>();
    message->request = request;
    message->sections.push_back(
        {.partition = PartitionId{0}, .table = TableId{0}, .dim = 1, .keys = many, .target = {}});
    return message;
  };

  client->Send({NodeId{0}, kServer, pull(1)});
  CHECK(Take(*server, 1).size() == 1);
  client->Send({NodeId{0}, kServer, pull(2)});

  CHECK(Take(*server, 1, absl::Seconds(1)).empty());
  const auto answers = Take(*client, 1);
  REQUIRE(answers.size() == 1);
  CHECK(absl::IsUnavailable(std::get<Acknowledgement>(answers[0].body).status));
  CHECK(server->counters().deferred == 1);
  CHECK(server->counters().denied == 0);
}

TEST_CASE("a client that is taken off the list is refused at once, and one that is put on it comes",
          "[io][zmq][keys]") {
  const test::ScratchDirectory scratch;
  KeyDirectory keys(scratch.path());
  const KeyPair late = keys.Add("late", "");
  const auto servers = NetworkOf(keys.cluster());
  const auto clients = NetworkOf(keys.of("late"));
  const auto server = Listen(*servers, "tcp://127.0.0.1:0");
  const auto client = Client(*clients, *server);
  client->Send({NodeId{0}, kServer, MapRequest{1}});
  CHECK(Take(*server, 1, absl::Seconds(1)).empty());
  CHECK(servers->refused_clients() > 0);

  keys.SetList(late.public_key + " worker late\n");
  // What it said waits for the connection, which is tried again and again.
  CHECK(Take(*server, 1).size() == 1);

  keys.SetList("");
  absl::SleepFor(absl::Seconds(1.2));
  client->Send({NodeId{0}, kServer, MapRequest{2}});
  CHECK(Take(*server, 1, absl::Seconds(1)).empty());
  const auto answers = Take(*client, 1);
  REQUIRE(answers.size() == 1);
  CHECK(std::get<Acknowledgement>(answers[0].body).status.message() ==
        absl::StrCat("key ", late.public_key, " is on the list of clients no more"));
}

TEST_CASE("who has no key, or another cluster's, is not heard, and learns why", "[io][zmq][keys]") {
  const test::ScratchDirectory scratch;
  KeyDirectory keys(scratch.path() + "/a");
  keys.Add("trainer", "worker trainer");
  keys.Add("stranger", "");
  KeyDirectory others(scratch.path() + "/b");
  others.Add("trainer", "worker trainer");
  const auto servers = NetworkOf(keys.cluster());
  const auto server = Listen(*servers, "tcp://127.0.0.1:0");
  const auto plain = NetworkOf("");
  const auto open = Listen(*plain, "tcp://127.0.0.1:0");
  const std::string at = server->addresses()[0];

  const auto wants = [&](const std::string& own, const std::string& address,
                         const std::string& sentence) {
    CAPTURE(own, address);
    const auto network = NetworkOf(own);
    auto client = *network->Join(NodeId{0}, {});
    REQUIRE(client->Connect(kServer, address).ok());
    client->Send({NodeId{0}, kServer, MapRequest{1}});
    const bool is_let_in = own == keys.of("trainer") && address == at;
    CHECK(Take(*server, 1, absl::Milliseconds(300)).empty() == !is_let_in);
    const std::string probe = network->Probe(address, absl::Seconds(2));
    INFO(probe);
    CHECK(probe.find(sentence) != std::string::npos);
  };
  wants("", at, "wants keys: name them, as ADDRESS?keys=DIRECTORY");
  wants(keys.of("stranger"), at, "is not on its list of clients");
  wants(others.of("trainer"), at,
        "refuses the keys of '" + others.of("trainer") + "': their public key ");
  wants(keys.of("trainer"), at, "takes these keys but does not answer");
  wants(keys.of("trainer"), open->addresses()[0], "has no keys, and this program was given some");
  wants(keys.of("trainer"), "tcp://127.0.0.1:1", "connection refused");
}

TEST_CASE("a client's keys are none to listen with", "[io][zmq][keys]") {
  const test::ScratchDirectory scratch;
  KeyDirectory keys(scratch.path());
  keys.Add("trainer", "worker trainer");
  const auto network = NetworkOf(keys.of("trainer"));
  const std::string listen[] = {"tcp://127.0.0.1:0"};
  const absl::Status status = network->Join(kServer, listen).status();
  CHECK(absl::IsFailedPrecondition(status));
  CHECK(status.message().find("want the cluster's, with cluster.secret, to listen") !=
        std::string::npos);
}

// Passes one connection on to a port, and keeps what its client sent.
class RecordingProxy {
 public:
  explicit RecordingProxy(std::uint16_t to) : to_(to), listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in at = Loopback(0);
    socklen_t size = sizeof(at);
    REQUIRE(bind(listener_, reinterpret_cast<sockaddr*>(&at), size) == 0);
    REQUIRE(listen(listener_, 1) == 0);
    REQUIRE(getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size) == 0);
    port_ = ntohs(at.sin_port);
    thread_ = std::thread([this] { Run(); });
  }
  ~RecordingProxy() { End(); }

  std::uint16_t port() const { return port_; }

  /// Hangs up; all that the client sent.
  std::string End() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
    if (listener_ >= 0) close(std::exchange(listener_, -1));
    return sent_;
  }

  static int Dial(std::uint16_t port) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    const sockaddr_in at = Loopback(port);
    REQUIRE(connect(fd, reinterpret_cast<const sockaddr*>(&at), sizeof(at)) == 0);
    return fd;
  }

 private:
  static sockaddr_in Loopback(std::uint16_t port) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return at;
  }
  static bool IsReadable(int fd) {
    pollfd waiting{.fd = fd, .events = POLLIN, .revents = 0};
    return poll(&waiting, 1, 20) > 0;
  }

  void Run() {
    while (!stop_ && !IsReadable(listener_)) {
    }
    if (stop_) return;
    const int client = accept(listener_, nullptr, nullptr);
    const int server = socket(AF_INET, SOCK_STREAM, 0);
    const sockaddr_in at = Loopback(to_);
    bool is_open = connect(server, reinterpret_cast<const sockaddr*>(&at), sizeof(at)) == 0;
    char piece[4096];
    while (is_open && !stop_) {
      for (const auto& [from, to] : {std::pair(client, server), std::pair(server, client)}) {
        if (!IsReadable(from)) continue;
        const ssize_t size = recv(from, piece, sizeof(piece), 0);
        is_open = is_open && size > 0 &&
                  send(to, piece, static_cast<std::size_t>(size), MSG_NOSIGNAL) == size;
        if (is_open && from == client) sent_.append(piece, static_cast<std::size_t>(size));
      }
    }
    close(client);
    close(server);
  }

  const std::uint16_t to_;
  int listener_;
  std::uint16_t port_ = 0;
  std::string sent_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

TEST_CASE("what a client once said says nothing when it is played again", "[io][zmq][keys]") {
  const test::ScratchDirectory scratch;
  KeyDirectory keys(scratch.path());
  keys.Add("trainer", "worker trainer");
  const auto servers = NetworkOf(keys.cluster());
  const auto server = Listen(*servers, "tcp://127.0.0.1:0");
  const std::string& at = server->addresses()[0];
  const auto port =
      static_cast<std::uint16_t>(std::strtoul(at.substr(at.rfind(':') + 1).c_str(), nullptr, 10));
  std::string said;
  {
    RecordingProxy proxy(port);
    const auto clients = NetworkOf(keys.of("trainer"));
    auto client = *clients->Join(NodeId{0}, {});
    REQUIRE(client->Connect(kServer, absl::StrCat("tcp://127.0.0.1:", proxy.port())).ok());
    client->Send({NodeId{0}, kServer, ImportStep{7, 21}});
    REQUIRE(Take(*server, 1).size() == 1);
    said = proxy.End();
  }
  CHECK(said.size() > 300);                       // A greeting, a handshake, a message.
  CHECK(said.find("LTMS") == std::string::npos);  // None of our frames can be read.
  for (int i = 0; i < 3; ++i) {
    const int again = RecordingProxy::Dial(port);
    CHECK(send(again, said.data(), said.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(said.size()));
    CHECK(Take(*server, 1, absl::Seconds(1)).empty());
    close(again);
  }
  // And a clean one comes through.
  const auto clients = NetworkOf(keys.of("trainer"));
  const auto client = Client(*clients, *server);
  client->Send({NodeId{0}, kServer, ImportStep{8, 22}});
  CHECK(Take(*server, 1).size() == 1);
}

}  // namespace
}  // namespace longtail
