// The transport between processes: real sockets of this machine.
#include "io/zmq_network.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>
#include <catch2/catch.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "io/zmq_socket.h"
#include "support/free_port.h"

namespace longtail {
namespace {

constexpr NodeId kServer{1};
const std::vector<std::string> kAnyPort = {"tcp://127.0.0.1:0"};

std::unique_ptr<ZmqNetwork> MakeNetwork(ZmqNetwork::Options options = {}) {
  return *ZmqNetwork::Create(options);
}

std::unique_ptr<ZmqEndpoint> Listen(ZmqNetwork& network,
                                    const std::vector<std::string>& at = kAnyPort) {
  auto joined = network.Join(kServer, at);
  INFO(joined.status().ToString());
  REQUIRE(joined.ok());
  return *std::move(joined);
}

std::unique_ptr<ZmqEndpoint> Client(ZmqNetwork& network, const ZmqEndpoint& server) {
  auto client = *network.Join(NodeId{0}, {});
  REQUIRE(client->Connect(kServer, server.addresses()[0]).ok());
  return client;
}

// At least `count` events, or what came within 10 s.
std::vector<Envelope> Take(Transport& transport, std::size_t count) {
  std::vector<Envelope> events;
  const absl::Time until = absl::Now() + absl::Seconds(10);
  while (events.size() < count && absl::Now() < until) transport.Receive(until, events);
  return events;
}

// A push of n keys of dim 16 whose gradients count up.
std::shared_ptr<const PushRequest> Push(std::size_t n) {
  struct Data {
    std::vector<Key> keys;
    std::vector<std::uint32_t> counts;
    std::vector<float> gradients;
  };
  auto data = std::make_shared<Data>();
  for (std::size_t i = 0; i < n; ++i) {
    data->keys.push_back(i * 7);
    data->counts.push_back(static_cast<std::uint32_t>(i));
  }
  for (std::size_t i = 0; i < 16 * n; ++i) data->gradients.push_back(static_cast<float>(i));
  auto push = std::make_shared<PushRequest>();
  push->request = n;
  push->sections.push_back({.partition = PartitionId{0},
                            .table = TableId{0},
                            .dim = 16,
                            .sequence = 3,
                            .keys = data->keys,
                            .counts = data->counts,
                            .gradients = data->gradients});
  push->owners.push_back(data);
  return push;
}

TEST_CASE("a request travels to who listens and its answer back", "[io][zmq]") {
  const auto network = MakeNetwork();
  const auto server = Listen(*network);
  const auto client = Client(*network, *server);

  client->Send({NodeId{0}, kServer, ImportStep{7, 21}});
  const auto requests = Take(*server, 1);
  REQUIRE(requests.size() == 1);
  CHECK(std::get<ImportStep>(requests[0].body).step == 21);
  server->Send({kServer, requests[0].source, Acknowledgement{7, {}, 5}});

  const auto answers = Take(*client, 1);
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].source == kServer);
  CHECK(std::get<Acknowledgement>(answers[0].body).step == 5);
}

TEST_CASE("arrays of any size arrive as they were", "[io][zmq]") {
  const auto network = MakeNetwork();
  const std::string path = "ipc:///tmp/longtail-zmq-test-" + std::to_string(getpid());
  const std::string address = GENERATE_COPY(kAnyPort[0], path);
  const auto server = Listen(*network, {address});
  const auto client = Client(*network, *server);
  const std::vector<std::size_t> sizes = {0, 1, 2, 255, 256, 257, 4095, 4097, 50001};
  for (const std::size_t n : sizes) client->Send({NodeId{0}, kServer, Push(n)});

  const auto events = Take(*server, sizes.size());

  REQUIRE(events.size() == sizes.size());
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    CAPTURE(sizes[i]);
    const auto& push = *std::get<std::shared_ptr<const PushRequest>>(events[i].body);
    const auto sent = Push(sizes[i]);
    const PushSection& got = push.sections.at(0);
    const PushSection& want = sent->sections[0];
    CHECK(push.request == sizes[i]);
    CHECK(std::equal(got.keys.begin(), got.keys.end(), want.keys.begin(), want.keys.end()));
    CHECK(std::equal(got.counts.begin(), got.counts.end(), want.counts.begin(), want.counts.end()));
    CHECK(std::equal(got.gradients.begin(), got.gradients.end(), want.gradients.begin(),
                     want.gradients.end()));
  }
}

TEST_CASE("an address that cannot be listened on is named", "[io][zmq]") {
  const auto network = MakeNetwork();
  const auto server = Listen(*network);

  const auto taken = network->Join(NodeId{2}, server->addresses());
  CHECK(std::string(taken.status().message()) ==
        "listening on '" + server->addresses()[0] + "': Address already in use");

  const auto client = *network->Join(NodeId{3}, {});
  CHECK(std::string(client->Connect(kServer, "localhost").message()) ==
        "address 'localhost': Invalid argument; want tcp://HOST:PORT or ipc://PATH");
}

TEST_CASE("any thread may send while the loop receives", "[io][zmq]") {
  const auto network = MakeNetwork();
  const auto server = Listen(*network);
  const auto client = Client(*network, *server);
  constexpr int kThreads = 3;
  constexpr int kEach = 300;
  std::vector<std::thread> senders;
  for (int t = 0; t < kThreads; ++t) {
    senders.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) client->Send({NodeId{0}, kServer, ImportStep{1, 1}});
    });
  }
  std::thread echo([&] {
    for (std::size_t left = kThreads * kEach; left > 0;) {
      const auto events = Take(*server, 1);
      if (events.empty()) return;
      left -= events.size();
      for (const Envelope& event : events) server->Send({kServer, event.source, ImportStep{2, 2}});
    }
  });

  const auto answers = Take(*client, kThreads * kEach);

  for (std::thread& sender : senders) sender.join();
  echo.join();
  CHECK(answers.size() == kThreads * kEach);
  CHECK(client->counters().sent == kThreads * kEach);
}

TEST_CASE("waking ends a wait", "[io][zmq]") {
  const auto network = MakeNetwork();
  const auto server = Listen(*network);
  std::thread waker([&] {
    absl::SleepFor(absl::Milliseconds(20));
    server->Wake();
  });
  std::vector<Envelope> events;
  const absl::Time start = absl::Now();

  server->Receive(start + absl::Seconds(30), events);

  waker.join();
  CHECK(events.empty());
  CHECK(absl::Now() - start < absl::Seconds(20));
}

TEST_CASE("messages to nobody are counted, and bytes that wait have a limit", "[io][zmq]") {
  const auto network = MakeNetwork({.peer_bytes_max = 1 << 20});
  const auto client = *network->Join(NodeId{0}, {});
  client->Send({NodeId{0}, NodeId{9}, ImportStep{1, 1}});
  CHECK(client->counters().unknown_dropped == 1);

  // A port that nobody listens on: the queue fills and no further.
  const std::string nowhere = "tcp://127.0.0.1:" + std::to_string(test::FreePort());
  REQUIRE(client->Connect(kServer, nowhere).ok());
  const auto push = Push(4096);  // 300 KiB.
  for (int i = 0; i < 3; ++i) client->Send({NodeId{0}, kServer, push});
  CHECK(client->counters().sent == 1);
  CHECK(client->counters().repeats_dropped == 2);
  for (int i = 0; i < 19; ++i) client->Send({NodeId{0}, kServer, Push(4096)});

  CHECK(client->counters().sent == 3);
  CHECK(client->counters().full_dropped == 17);
}

TEST_CASE("who comes back at his address is found again", "[io][zmq]") {
  const auto network = MakeNetwork();
  auto server = Listen(*network);
  const std::vector<std::string> address = server->addresses();
  const auto client = Client(*network, *server);
  client->Send({NodeId{0}, kServer, ImportStep{1, 1}});
  REQUIRE(Take(*server, 1).size() == 1);
  server.reset();

  // The old socket closes behind our back: listening succeeds once it has.
  const absl::Time until = absl::Now() + absl::Seconds(10);
  absl::StatusOr<std::unique_ptr<ZmqEndpoint>> again = network->Join(kServer, address);
  while (!again.ok() && absl::Now() < until) {
    absl::SleepFor(absl::Milliseconds(10));
    again = network->Join(kServer, address);
  }
  REQUIRE(again.ok());
  std::vector<Envelope> events;
  while (events.empty() && absl::Now() < until) {  // As a core sends again what is not answered.
    client->Send({NodeId{0}, kServer, ImportStep{2, 2}});
    (*again)->Receive(absl::Now() + absl::Milliseconds(50), events);
  }
  CHECK(!events.empty());
}

TEST_CASE("a peer that moved is found at its new address", "[io][zmq]") {
  const auto network = MakeNetwork();
  const auto first = Listen(*network);
  const auto second = Listen(*network);
  const auto client = Client(*network, *first);
  REQUIRE(client->Connect(kServer, second->addresses()[0]).ok());

  client->Send({NodeId{0}, kServer, ImportStep{1, 1}});

  CHECK(Take(*second, 1).size() == 1);
  std::vector<Envelope> none;
  first->Receive(absl::InfinitePast(), none);
  CHECK(none.empty());
}

TEST_CASE("what is no message is refused, said and counted, and others are served", "[io][zmq]") {
  const auto network = MakeNetwork();
  const auto server = Listen(*network);
  void* const context = zmq_ctx_new();
  {
    ZmqSocket stranger(zmq_socket(context, ZMQ_DEALER));
    stranger.Set(ZMQ_LINGER, 0);
    stranger.Set(ZMQ_RCVTIMEO, 5000);
    REQUIRE(zmq_connect(stranger.get(), server->addresses()[0].c_str()) == 0);
    REQUIRE(zmq_send(stranger.get(), "hello", 5, ZMQ_SNDMORE) == 5);
    REQUIRE(zmq_send(stranger.get(), "", 0, 0) == 0);
    std::vector<Envelope> events;
    for (int i = 0; i < 100 && server->counters().refused == 0; ++i) {
      server->Receive(absl::Now() + absl::Milliseconds(50), events);
    }
    CHECK(events.empty());
    CHECK(server->counters().refused == 1);
    char answer[512];
    CHECK(zmq_recv(stranger.get(), answer, sizeof(answer), 0) > 24);
  }
  zmq_ctx_term(context);

  // Not even ZeroMQ.
  const std::string address = server->addresses()[0];
  const int port = std::stoi(address.substr(address.rfind(':') + 1));
  const int raw = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(connect(raw, reinterpret_cast<sockaddr*>(&to), sizeof(to)) == 0);
  const std::string noise(5000, '\xff');
  REQUIRE(write(raw, noise.data(), noise.size()) > 0);
  close(raw);

  const auto client = Client(*network, *server);
  client->Send({NodeId{0}, kServer, ImportStep{3, 3}});
  CHECK(Take(*server, 1).size() == 1);
}

}  // namespace
}  // namespace longtail
