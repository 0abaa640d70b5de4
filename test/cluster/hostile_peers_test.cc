// Strangers at the ports of a running server and coordinator, over bare TCP and over ZeroMQ: they
// are refused, said and counted, and who behaves well is served all the while, exactly and in time.
//
// (That no message, however it is cut or changed, does harm where it is read is test/protocol's and
// test/fuzz's to show. Here it is the processes: connections, threads, memory, logs.)
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "cluster/counted_pushes.h"
#include "cluster/program_cluster.h"
#include "cluster/tcp_address.h"
#include "golden/hex.h"
#include "io/zmq_socket.h"
#include "protocol/wire.h"
#include "support/resident_bytes.h"

namespace longtail {
namespace {

using test::KeysBelow;
using test::Must;
using test::Program;
using test::ProgramCluster;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::chrono::milliseconds kTimeout(5000);

std::string RandomBytes(Rng& gen, std::size_t size) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(gen.Below(256));
  return bytes;
}

std::string BigEndian(std::uint64_t value) {
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
  return bytes;
}

// --- ZeroMQ's own protocol, ZMTP 3.0 (rfc.zeromq.org/spec/23)
// -------------------------------------

std::string Greeting() {
  return std::string("\xFF\0\0\0\0\0\0\0\0\x7F\3\0NULL", 16) + std::string(48, '\0');
}

std::string Command(const std::string& name, const std::string& rest) {
  const std::string body = static_cast<char>(name.size()) + name + rest;
  return std::string("\4", 1) + static_cast<char>(body.size()) + body;
}

std::string Ready() {
  return Command("READY", std::string("\x0BSocket-Type\0\0\0\6DEALER\x08Identity\0\0\0\0", 36));
}

// What one stranger says over bare TCP.
std::string RawBytes(Rng& gen, const std::string& golden) {
  switch (gen.Below(8)) {
    case 0:
      return RandomBytes(gen, 1 + gen.Below(3000));
    case 1:  // A greeting that does not end.
      return Greeting().substr(0, gen.Below(64));
    case 2:
      return Greeting() + RandomBytes(gen, 1 + gen.Below(3000));
    case 3: {  // A message that is to be huge, and does not come.
      constexpr std::array<std::uint64_t, 7> kSizes = {
          1ULL << 63, ~0ULL, 1ULL << 62, (4ULL << 30) + 1, 4ULL << 30, 3ULL << 30, 1ULL << 30};
      return Greeting() + Ready() + static_cast<char>(2 + gen.Below(2)) +
             BigEndian(kSizes[gen.Below(kSizes.size())]) + RandomBytes(gen, gen.Below(3000));
    }
    case 4: {  // A handshake with some bytes changed.
      std::string bytes = Greeting() + Ready();
      for (std::uint64_t i = 0; i <= gen.Below(4); ++i) {
        bytes[gen.Below(bytes.size())] = static_cast<char>(gen.Below(256));
      }
      return bytes;
    }
    case 5:  // Properties that are longer than the command.
      return Greeting() +
             Command("READY",
                     "\x0BSocket-Type\x7F\xFF\xFF\xFF"
                     "DEALER") +
             RandomBytes(gen, gen.Below(100));
    case 6: {  // A message of ours that ends in the middle.
      std::string frame = golden.substr(0, gen.Below(golden.size()));
      return Greeting() + Ready() + std::string("\2", 1) + BigEndian(golden.size()) + frame;
    }
    default: {  // Commands, known and unknown.
      constexpr std::array<const char*, 7> kNames = {"PING",   "PONG",  "ERROR", "SUBSCRIBE",
                                                     "CANCEL", "HELLO", "READY"};
      std::string bytes = Greeting() + Ready();
      for (std::uint64_t i = 0; i <= gen.Below(20); ++i) {
        bytes += Command(kNames[gen.Below(kNames.size())], RandomBytes(gen, gen.Below(100)));
      }
      return bytes;
    }
  }
}

// Connections that say a few bytes. Some are closed at once, some reset in the middle; the newest
// of the others stay open, silent.
class RawStrangers {
 public:
  explicit RawStrangers(const std::string& address) {
    const TcpAddress at = Must(ParseTcpAddress(address));
    to_.sin_family = AF_INET;
    to_.sin_port = htons(static_cast<std::uint16_t>(at.port));
    inet_pton(AF_INET, at.host.c_str(), &to_.sin_addr);
  }
  ~RawStrangers() {
    for (const int fd : open_) close(fd);
  }
  RawStrangers(const RawStrangers&) = delete;
  RawStrangers& operator=(const RawStrangers&) = delete;

  void Say(const std::string& bytes, Rng& gen) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(fd >= 0);
    REQUIRE(connect(fd, reinterpret_cast<const sockaddr*>(&to_), sizeof(to_)) == 0);
    [[maybe_unused]] const auto sent =
        send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    ++said_;
    const std::uint64_t end = gen.Below(3);
    if (end == 0) {
      open_.push_back(fd);
      if (open_.size() <= kOpenMax) return;
      close(open_.front());
      open_.pop_front();
      return;
    }
    const linger reset{.l_onoff = end == 1 ? 1 : 0, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(fd);
  }

  int said() const { return said_; }

 private:
  static constexpr std::size_t kOpenMax = 200;
  sockaddr_in to_{};
  std::deque<int> open_;
  int said_ = 0;
};

// --- Over ZeroMQ ---------------------------------------------------------------------------------

// A message of ours that is none any more: cut, longer, changed, with other sizes and counts.
std::string Spoilt(const std::vector<std::string>& goldens, Rng& gen) {
  for (;;) {
    std::string frame = goldens[gen.Below(goldens.size())];
    switch (gen.Below(4)) {
      case 0:
        frame.resize(gen.Below(frame.size()));
        break;
      case 1:
        frame += RandomBytes(gen, 1 + gen.Below(100));
        break;
      case 2:
        frame[gen.Below(frame.size())] = static_cast<char>(gen.Below(256));
        break;
      default: {  // Some number is huge.
        const std::string huge = BigEndian(~std::uint64_t{0} >> gen.Below(64));
        const std::string little(huge.rbegin(), huge.rend());
        frame.replace(8 * gen.Below(frame.size() / 8), 8, little);
      }
    }
    const auto* const bytes = reinterpret_cast<const std::byte*>(frame.data());
    if (!Decode(std::span(bytes, frame.size())).ok()) return frame;
  }
}

// Sockets that send what is no message. They never read an answer, but for the last.
class ZmqStrangers {
 public:
  explicit ZmqStrangers(const std::string& address) : context_(zmq_ctx_new()) {
    for (std::size_t i = 0; i < kSockets; ++i) {
      sockets_.emplace_back(zmq_socket(context_, ZMQ_DEALER));
      sockets_[i].Set(ZMQ_LINGER, 0);
      REQUIRE(zmq_connect(sockets_[i].get(), address.c_str()) == 0);
    }
    sockets_.back().Set(ZMQ_RCVTIMEO, 10'000);
  }
  ~ZmqStrangers() {
    sockets_.clear();
    zmq_ctx_term(context_);
  }
  ZmqStrangers(const ZmqStrangers&) = delete;
  ZmqStrangers& operator=(const ZmqStrangers&) = delete;

  void Say(const std::vector<std::string>& goldens, Rng& gen) {
    const std::size_t socket = gen.Below(kSockets - 1);
    const std::uint64_t kind = gen.Below(200);
    if (kind == 0) return SendParts(socket, std::string(8 * kMiB, '\7'), 1);
    if (kind == 1) return SendParts(socket, "", 70'000);
    if (kind < 60) return SendParts(socket, RandomBytes(gen, gen.Below(2000)), 1 + gen.Below(5));
    SendParts(socket, Spoilt(goldens, gen), 1);
  }

  /// What one is told that says what is no message.
  absl::Status Answer(const std::string& what) {
    SendParts(kSockets - 1, what, 1);
    ZmqPart answer;
    if (zmq_msg_recv(answer.get(), sockets_.back().get(), 0) < 0) {
      return absl::DeadlineExceededError("no answer");
    }
    const auto message = Must(Decode(answer.bytes()));
    const auto* const refusal = std::get_if<Acknowledgement>(&message);
    return refusal == nullptr ? absl::OkStatus() : refusal->status;
  }

  int said() const { return said_; }

 private:
  static constexpr std::size_t kSockets = 9;

  // (What the peer does not take any more is left out.)
  void SendParts(std::size_t socket, const std::string& part, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const int more = i + 1 < count ? ZMQ_SNDMORE : 0;
      if (zmq_send(sockets_[socket].get(), part.data(), part.size(), more | ZMQ_DONTWAIT) < 0) {
        return;
      }
    }
    ++said_;
  }

  void* const context_;
  std::vector<ZmqSocket> sockets_;
  int said_ = 0;
};

// --- Who behaves well ----------------------------------------------------------------------------

// Pushes and pulls in turn; each pull must show all pushes, for nobody else pushes.
class GoodWorker {
 public:
  GoodWorker(Worker& worker, TableId table)
      : thread_([this, &worker, table] { Run(worker, table); }) {}
  ~GoodWorker() { Stop(); }
  GoodWorker(const GoodWorker&) = delete;
  GoodWorker& operator=(const GoodWorker&) = delete;

  int rounds() const { return rounds_; }
  void Stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }

  // After Stop.
  const absl::Status& status() const { return status_; }
  bool is_exact() const { return is_exact_; }
  absl::Duration longest() const { return longest_; }

 private:
  void Run(Worker& worker, TableId table) {
    const std::vector<Key> keys = KeysBelow(200);
    const std::vector<float> gradients(keys.size(), -1);
    std::vector<float> rows(keys.size());
    while (!stop_ && status_.ok() && is_exact_) {
      const absl::Time before = absl::Now();
      status_ = worker.Push(table, keys, gradients, {.timeout = kTimeout});
      if (!status_.ok()) return;
      status_ = worker.Pull(table, keys, rows, {.timeout = kTimeout});
      longest_ = std::max(longest_, absl::Now() - before);
      if (!status_.ok()) return;
      const int round = ++rounds_;
      is_exact_ = rows == std::vector<float>(keys.size(), static_cast<float>(3 + round));
    }
  }

  std::atomic<bool> stop_ = false;
  std::atomic<int> rounds_ = 0;
  absl::Status status_;
  bool is_exact_ = true;
  absl::Duration longest_;
  std::thread thread_;
};

std::ptrdiff_t CountOf(const std::string& text, const std::string& what) {
  std::ptrdiff_t count = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) {
    ++count;
  }
  return count;
}

TEST_CASE("strangers at every port are refused, and a worker is served exactly and in time",
          "[cluster][process][hostile]") {
  const char* const text = std::getenv("LONGTAIL_HOSTILE_SECONDS");
  const double seconds = text == nullptr ? 5 : std::atof(text);
  ProgramCluster programs({.servers = 1, .workers = 2});
  const auto cluster = Must(Cluster::Remote(programs.remote()));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 1)));
  const auto worker = Must(cluster->Connect());
  std::vector<std::string> goldens;
  for (const auto& file : std::filesystem::directory_iterator(LONGTAIL_GOLDEN_DIR)) {
    if (file.path().extension() != ".hex") continue;
    const std::string bytes = test::BytesOfHex(test::ReadWhole(file.path()));
    if (bytes.starts_with("LTMS")) goldens.push_back(bytes);
  }
  std::ranges::sort(goldens);
  REQUIRE(goldens.size() > 20);
  const std::string lane = Must(ReadClusterStatus(programs.address, absl::Seconds(5)))
                               .map->servers[0]
                               .lanes[0]
                               .addresses[0];
  const std::array<std::string, 2> addresses = {lane, programs.address};
  const std::array<const Program*, 2> victims = {programs.servers[0].get(),
                                                 programs.coordinator.get()};
  GoodWorker good(*worker, table);
  REQUIRE(Program::Await(absl::Seconds(10), [&] { return good.rounds() > 10; }));
  std::array<std::uint64_t, 2> before{};
  std::array<std::uint64_t, 2> peak{};
  for (std::size_t i = 0; i < 2; ++i) before[i] = test::ResidentBytesOf(victims[i]->pid());

  std::vector<std::unique_ptr<RawStrangers>> raw;
  std::vector<std::unique_ptr<ZmqStrangers>> zmq;
  for (const std::string& address : addresses) {
    raw.push_back(std::make_unique<RawStrangers>(address));
    zmq.push_back(std::make_unique<ZmqStrangers>(address));
  }
  Rng gen(text == nullptr ? 5 : static_cast<std::uint64_t>(absl::ToUnixMicros(absl::Now())));
  const absl::Time start = absl::Now();
  while (absl::Now() < start + absl::Seconds(seconds)) {
    for (std::size_t i = 0; i < 2; ++i) {
      for (int n = 0; n < 10; ++n)
        raw[i]->Say(RawBytes(gen, goldens[gen.Below(goldens.size())]), gen);
      for (int n = 0; n < 20; ++n) zmq[i]->Say(goldens, gen);
      peak[i] = std::max(peak[i], test::ResidentBytesOf(victims[i]->pid()));
    }
    absl::SleepFor(absl::Milliseconds(5));
  }
  // Others are let in meanwhile, and strangers are told what is wrong.
  const auto other = Must(Cluster::Remote(programs.remote()));
  const auto second = Must(other->Connect({.timeout = kTimeout}));
  CHECK(test::Rows(*second, table, {1}, 1)[0] >= 3 + 10);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(test::Says(zmq[i]->Answer("hello, hello, hello, hello"), "no Longtail message"));
  }
  const auto status = Must(ReadClusterStatus(programs.address, absl::Seconds(5)));
  CHECK(status.is_well());
  CHECK(std::ranges::count(status.members, MemberKind::kServer, &Member::kind) == 1);
  CHECK(status.map->tables.size() == 1);
  const auto server = std::ranges::find(status.members, MemberKind::kServer, &Member::kind);
  CHECK(server->rows_pulled_per_second > 0);
  CHECK(server->rows_pushed_per_second > 0);
  const int rounds = good.rounds();
  good.Stop();

  CHECK(good.status().ToString() == "OK");
  CHECK(good.is_exact());
  CHECK(good.rounds() >= rounds);
  CHECK(good.longest() < absl::FromChrono(kTimeout));
  const std::ptrdiff_t logged_max =
      2 + static_cast<std::ptrdiff_t>(absl::ToDoubleSeconds(absl::Now() - start));
  for (std::size_t i = 0; i < 2; ++i) {
    const std::string said = victims[i]->said();
    CHECK(CountOf(said, "message_refused") > 0);
    CHECK(CountOf(said, "message_refused") <= logged_max);
    CHECK(said.find("refused_so_far=") != std::string::npos);
    CHECK((test::kIsAddressSanitized || peak[i] < before[i] + 128 * kMiB));
    WARN((i == 0 ? "server: " : "coordinator: ")
         << raw[i]->said() << " raw connections, " << zmq[i]->said()
         << " messages that are none, grew by " << (peak[i] - before[i]) / kMiB << " MiB");
  }
  WARN(good.rounds() << " pushes and pulls of the good worker, the longest pair "
                     << absl::FormatDuration(good.longest()));
}

}  // namespace
}  // namespace longtail
