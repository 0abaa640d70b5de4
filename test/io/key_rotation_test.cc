// Keys that are changed under sockets that use them: who speaks to whom goes on, who has old keys
// alone does not.
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "io/key_directory.h"
#include "io/key_probe.h"
#include "io/zmq_network.h"
#include "server/scratch_directory.h"

namespace longtail {
namespace {

using test::KeyDirectory;
using test::OpenKeys;
using test::ReplaceText;

constexpr NodeId kServer{1};
constexpr absl::Duration kSoon = absl::Seconds(20);

// Two ends with keys, the one's and the other's directory, that ask and answer.
class Line {
 public:
  Line(const std::string& server, const std::string& client, const std::string& listen,
       absl::Duration heartbeat = absl::Seconds(5))
      : server_network_(*ZmqNetwork::Create({.heartbeat = heartbeat, .keys = OpenKeys(server)})),
        client_network_(*ZmqNetwork::Create({.heartbeat = heartbeat, .keys = OpenKeys(client)})) {
    const std::string at[] = {listen};
    auto joined = server_network_->Join(kServer, at);
    INFO(joined.status().ToString());
    REQUIRE(joined.ok());
    server_ = *std::move(joined);
    client_ = *client_network_->Join(NodeId{0}, {});
  }

  void Connect(const std::string& to) { REQUIRE(client_->Connect(kServer, to).ok()); }

  ZmqNetwork& client_network() { return *client_network_; }
  ZmqEndpoint& server() { return *server_; }

  /// Asks again and again, as a core would. How long the answer took; more than the limit: none.
  absl::Duration Ask(absl::Duration limit = kSoon) {
    const absl::Time begin = absl::Now();
    const std::uint64_t request = ++request_;
    absl::Time ask_at = begin;
    std::vector<Envelope> events;
    while (absl::Now() < begin + limit) {
      if (absl::Now() >= ask_at) {
        client_->Send({NodeId{0}, kServer, MapRequest{request}});
        ask_at = absl::Now() + absl::Milliseconds(200);
      }
      server_->Receive(absl::Now() + absl::Milliseconds(5), events);
      for (const Envelope& event : events) {
        server_->Send({kServer, event.source,
                       Acknowledgement{std::get<MapRequest>(event.body).request, {}, 0}});
      }
      events.clear();
      client_->Receive(absl::Now() + absl::Milliseconds(5), events);
      for (const Envelope& event : events) {
        const auto& answer = std::get<Acknowledgement>(event.body);
        last_ = answer.status;
        if (answer.request == request && answer.status.ok()) return absl::Now() - begin;
      }
      events.clear();
    }
    return absl::InfiniteDuration();
  }

  /// What the last answer was.
  const absl::Status& last() const { return last_; }

 private:
  std::unique_ptr<ZmqNetwork> server_network_;
  std::unique_ptr<ZmqNetwork> client_network_;
  std::unique_ptr<ZmqEndpoint> server_;
  std::unique_ptr<ZmqEndpoint> client_;
  std::uint64_t request_ = 0;
  absl::Status last_;
};

// Until the files that were changed are read for sure.
void AwaitRead(Line& line) {
  const absl::Time until = absl::Now() + absl::Seconds(1.5);
  while (absl::Now() < until) CHECK(line.Ask() < kSoon);
}

TEST_CASE("the cluster's key is changed while its servers are spoken to", "[io][zmq][keys]") {
  const test::ScratchDirectory scratch;
  KeyDirectory keys(scratch.path());
  keys.Add("trainer", "worker trainer");
  keys.Add("late", "worker late");
  const KeyPair old = keys.pair();
  const KeyPair next = MakeKeyPair();
  const std::string both = old.public_key + "\n" + next.public_key + "\n";
  enum class How { kAddress, kName, kFile };
  const How how = GENERATE(How::kAddress, How::kName, How::kFile);
  CAPTURE(static_cast<int>(how));
  Line line(keys.cluster(), keys.of("trainer"),
            how == How::kFile ? "ipc://" + scratch.path() + "/socket" : "tcp://127.0.0.1:0");
  const std::string bound = line.server().addresses()[0];
  const std::string at =
      how == How::kName ? "tcp://localhost" + bound.substr(bound.rfind(':')) : bound;
  line.Connect(at);
  CHECK(line.Ask() < kSoon);

  // The client's directory first, then the server's.
  ReplaceText(keys.of("trainer") + "/cluster.public", both);
  AwaitRead(line);
  ReplaceText(keys.cluster() + "/cluster.public", both);
  AwaitRead(line);
  CHECK(KeyShownAt(*OpenKeys(keys.of("trainer"))->keys(), at, absl::Seconds(2)) == old.public_key);

  ReplaceText(keys.cluster() + "/cluster.secret", next.secret_key);
  AwaitRead(line);
  CHECK(line.server().addresses() == std::vector{bound});
  CHECK(KeyShownAt(*OpenKeys(keys.of("trainer"))->keys(), at, absl::Seconds(2)) == next.public_key);

  ReplaceText(keys.cluster() + "/cluster.public", next.public_key);
  AwaitRead(line);
  ReplaceText(keys.of("trainer") + "/cluster.public", next.public_key);
  AwaitRead(line);

  // Who trusts the old key alone does not speak to whoever shows the new one.
  const auto late = *ZmqNetwork::Create({.keys = OpenKeys(keys.of("late"))});
  CHECK(late->Probe(at, absl::Seconds(1)).find("refuses the keys of") != std::string::npos);
  // Who is the old key is let in no more.
  CHECK_FALSE(IsLetIn({next.public_key, old}, at, absl::Seconds(1)));
  CHECK(IsLetIn({next.public_key, next}, at, absl::Seconds(2)));
}

TEST_CASE("a server that is early or late with the new key is found by who trusts both",
          "[io][zmq][keys]") {
  const test::ScratchDirectory scratch;
  KeyDirectory keys(scratch.path());
  keys.Add("trainer", "worker trainer");
  // The key that is tried first is one that nobody shows.
  ReplaceText(
      keys.of("trainer") + "/cluster.public",
      MakeKeyPair().public_key + "\n" + MakeKeyPair().public_key + "\n" + keys.pair().public_key);
  Line line(keys.cluster(), keys.of("trainer"), "tcp://127.0.0.1:0");
  line.Connect(line.server().addresses()[0]);
  CHECK(line.Ask() < absl::Seconds(3));
  // And so again when the connection was lost.
  for (int i = 0; i < 10; ++i) CHECK(line.Ask() < absl::Seconds(1));
}

TEST_CASE("a connection to whoever shows a key that is trusted no more ends", "[io][zmq][keys]") {
  const test::ScratchDirectory scratch;
  KeyDirectory keys(scratch.path());
  keys.Add("trainer", "worker trainer");
  Line line(keys.cluster(), keys.of("trainer"), "tcp://127.0.0.1:0");
  line.Connect(line.server().addresses()[0]);
  CHECK(line.Ask() < kSoon);
  ReplaceText(keys.of("trainer") + "/cluster.public", MakeKeyPair().public_key);
  const absl::Time until = absl::Now() + kSoon;
  while (line.Ask(absl::Seconds(1)) < kSoon && absl::Now() < until) {
  }
  CHECK(line.Ask(absl::Seconds(2)) == absl::InfiniteDuration());
  ReplaceText(keys.of("trainer") + "/cluster.public", keys.pair().public_key);
  CHECK(line.Ask() < kSoon);
}

TEST_CASE(
    "what a server says over a connection that stands is refused once its key is trusted no more",
    "[io][zmq][keys]") {
  const test::ScratchDirectory scratch;
  const KeyPair old = MakeKeyPair();
  const KeyPair next = MakeKeyPair();
  const std::string both = old.public_key + "\n" + next.public_key;
  for (const auto& [name, own] : {std::pair("/new", next), std::pair("/old", old)}) {
    test::WriteText(scratch.path() + name + "/cluster.public", both);
    test::WriteText(scratch.path() + name + "/cluster.secret", own.secret_key);
    test::WriteText(scratch.path() + name + "/clients", "");
  }
  Line line(scratch.path() + "/new", scratch.path() + "/old", "tcp://127.0.0.1:0");
  line.Connect(line.server().addresses()[0]);
  CHECK(line.Ask() < kSoon);
  ReplaceText(scratch.path() + "/new/cluster.public", next.public_key);
  const absl::Time until = absl::Now() + kSoon;
  while (line.Ask(absl::Seconds(1)) < kSoon && absl::Now() < until) {
  }
  CHECK(absl::IsPermissionDenied(line.last()));
  CHECK(line.server().counters().denied > 0);
}

TEST_CASE("a client's own pair is changed, and its old key then goes off the list",
          "[io][zmq][keys]") {
  const test::ScratchDirectory scratch;
  KeyDirectory keys(scratch.path());
  const KeyPair old = keys.Add("trainer", "worker trainer");
  const KeyPair next = MakeKeyPair();
  const std::string new_line = next.public_key + " worker trainer\n";
  Line line(keys.cluster(), keys.of("trainer"), "tcp://127.0.0.1:0", absl::Seconds(1));
  line.Connect(line.server().addresses()[0]);
  CHECK(line.Ask() < kSoon);
  const bool is_early = GENERATE(false, true);
  CAPTURE(is_early);
  if (!is_early) {
    keys.SetList(keys.list() + new_line);
    AwaitRead(line);
  }
  ReplaceText(keys.of("trainer") + "/client.public", next.public_key);
  ReplaceText(keys.of("trainer") + "/client.secret", next.secret_key);
  // One that comes before the list is refused without a word, and is let in as before.
  AwaitRead(line);
  CHECK(line.Ask() < absl::Seconds(5));
  if (is_early) return;
  keys.SetList(new_line);
  AwaitRead(line);
  CHECK(line.Ask() < kSoon);
  CHECK(line.last().ok());
  CHECK_FALSE(
      IsLetIn({keys.pair().public_key, old}, line.server().addresses()[0], absl::Seconds(1)));
}

}  // namespace
}  // namespace longtail
