// Hosts of a small network of the test's own, and its links, which the test cuts.
//
//      hub: a bridge          each host and the hub: a network namespace
//       |  |  |               each link: a veth pair
//       a  b  c               a cut: a rule of nft in the namespace of whom nothing is to reach
//
// Namespaces have no names: descriptors of this process hold them, and programs that run in them.
// So with the test, however it ends, they end, and with them links, addresses and rules; nothing
// collides with another test's, and nothing is left to be swept up.
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace longtail::test {

class CutNetwork {
 public:
  enum class Cut {
    kDrop,   ///< What is sent is lost.
    kReset,  ///< TCP is answered with a reset.
  };

  /// Null where ip and nft are not installed, or namespaces or their rules not permitted; the
  /// output says so then, and the test is to return. With LONGTAIL_TEST_SERVERS=required it is a
  /// failure that they are not installed; rights are not the test's to have.
  static std::unique_ptr<CutNetwork> Make(const std::vector<std::string>& hosts) {
    std::unique_ptr<CutNetwork> network(new CutNetwork());
    const absl::Status made = network->Build(hosts);
    if (made.ok()) return network;
    const char* const wanted = std::getenv("LONGTAIL_TEST_SERVERS");
    const bool are_there =
        std::filesystem::exists("/usr/sbin/ip") && std::filesystem::exists("/usr/sbin/nft");
    if (!are_there && wanted != nullptr && std::string(wanted) == "required") {
      FAIL(made.ToString());
    }
    std::cout << "[skip] no links to cut: " << made.message() << "\n";
    return nullptr;
  }

  ~CutNetwork() {
    for (const Host& host : hosts_) close(host.fd);
    if (hub_ >= 0) close(hub_);
  }
  CutNetwork(const CutNetwork&) = delete;
  CutNetwork& operator=(const CutNetwork&) = delete;

  std::string AddressOf(const std::string& host) const { return hosts_[IndexOf(host)].address; }

  /// While it lives, this thread is on a host, and so are the threads and programs that it starts.
  class On {
   public:
    On(const CutNetwork& network, const std::string& host)
        : before_(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)) {
      REQUIRE(before_ >= 0);
      REQUIRE(setns(network.hosts_[network.IndexOf(host)].fd, CLONE_NEWNET) == 0);
    }
    ~On() {
      setns(before_, CLONE_NEWNET);
      close(before_);
    }
    On(const On&) = delete;
    On& operator=(const On&) = delete;

   private:
    const int before_;
  };

  /// From now on nothing that `source` sends reaches `target`.
  void CutOneWay(const std::string& source, const std::string& target, Cut how = Cut::kDrop) {
    Host& host = hosts_[IndexOf(target)];
    const std::size_t from = IndexOf(source);
    std::erase_if(host.cuts, [&](const auto& cut) { return cut.first == from; });
    host.cuts.emplace_back(from, how);
    Write(host);
  }

  void CutBothWays(const std::string& a, const std::string& b, Cut how = Cut::kDrop) {
    CutOneWay(a, b, how);
    CutOneWay(b, a, how);
  }

  /// From now on so many bits a second come to a host and as many from it, and what would wait for
  /// longer than 0.2 s is lost, as in a router's queue; 0: as many as there are. False where the
  /// kernel cannot do that, which the output says.
  bool Slow(const std::string& host, int kilobits) const {
    const std::size_t i = IndexOf(host);
    const std::string rate = absl::StrCat(kilobits, "kbit");
    const std::string hub_side = absl::StrCat("to", i);
    for (const auto& [network, device] :
         {std::pair(hosts_[i].fd, std::string("eth0")), std::pair(hub_, hub_side)}) {
      std::vector<const char*> words = {"/usr/sbin/tc", "qdisc",        "replace",
                                        "dev",          device.c_str(), "root"};
      if (kilobits == 0) {
        words.push_back("pfifo_fast");
      } else {
        words.insert(words.end(),
                     {"tbf", "rate", rate.c_str(), "burst", "16kb", "latency", "200ms"});
      }
      if (Run(network, words, "")) continue;
      std::cout << "[skip] no slow links: tc (iproute2) or the kernel's tbf is not there\n";
      return false;
    }
    return true;
  }

  /// All links are whole again.
  void Heal() {
    for (Host& host : hosts_) {
      if (host.cuts.empty()) continue;
      host.cuts.clear();
      Write(host);
    }
  }

 private:
  struct Host {
    std::string name;
    std::string address;
    int fd = -1;                                      // Of its namespace.
    std::vector<std::pair<std::size_t, Cut>> cuts{};  // What comes from there is lost.
  };

  CutNetwork() = default;

  absl::Status Build(const std::vector<std::string>& hosts) {
    hub_ = NewNamespace();
    if (hub_ < 0) {
      return absl::UnavailableError(absl::StrCat("a network namespace: ", std::strerror(errno),
                                                 "; want root with CAP_SYS_ADMIN"));
    }
    std::string links = "link add hub type bridge\nlink set dev hub up\n";
    for (std::size_t i = 0; i < hosts.size(); ++i) {
      // 198.18.0.0/15 is for tests of networks (RFC 2544).
      hosts_.push_back(
          {.name = hosts[i], .address = absl::StrCat("198.18.0.", i + 1), .fd = NewNamespace()});
      if (hosts_[i].fd < 0) return absl::UnavailableError("one more network namespace");
      absl::StrAppend(&links, "link add to", i, " type veth peer name eth0 netns /proc/", getpid(),
                      "/fd/", hosts_[i].fd, "\nlink set dev to", i, " master hub up\n");
    }
    if (!Run(hub_, {"/usr/sbin/ip", "-batch", "-"}, links)) {
      return absl::UnavailableError("ip (iproute2) makes no bridge: want root with CAP_NET_ADMIN");
    }
    for (Host& host : hosts_) {
      const bool is_up = Run(host.fd, {"/usr/sbin/ip", "-batch", "-"},
                             absl::StrCat("link set dev lo up\naddr add ", host.address,
                                          "/24 dev eth0\nlink set dev eth0 up\n"));
      if (!is_up || !Run(host.fd, {"/usr/sbin/nft", "-f", "-"}, Rules(host))) {
        return absl::UnavailableError("nft (nftables) takes no rule: is it installed?");
      }
    }
    return absl::OkStatus();
  }

  std::size_t IndexOf(const std::string& name) const {
    const auto found = std::ranges::find(hosts_, name, &Host::name);
    REQUIRE(found != hosts_.end());
    return static_cast<std::size_t>(found - hosts_.begin());
  }

  // A new one's descriptor, or -1. The thread that makes it is its first inhabitant, and ends.
  static int NewNamespace() {
    int fd = -1;
    int error = 0;
    std::thread([&] {
      if (unshare(CLONE_NEWNET) == 0) fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
      error = errno;
    }).join();
    errno = error;
    return fd;
  }

  // All rules of a host at once: a packet sees those before or those after.
  std::string Rules(const Host& host) const {
    std::string rules =
        "add table inet cuts\n"
        "add chain inet cuts input { type filter hook input priority 0; }\n"
        "flush chain inet cuts input\n";
    for (const auto& [source, how] : host.cuts) {
      absl::StrAppend(
          &rules, "add rule inet cuts input ip saddr ", hosts_[source].address,
          // (A reset is not answered with a reset: it must come through.)
          how == Cut::kDrop ? " drop\n" : " tcp flags & rst == 0 reject with tcp reset\n");
    }
    return rules;
  }

  void Write(const Host& host) const {
    REQUIRE(Run(host.fd, {"/usr/sbin/nft", "-f", "-"}, Rules(host)));
  }

  // Runs a program in a namespace, with `input`, which a pipe holds; whether it went well.
  static bool Run(int network, const std::vector<const char*>& words, const std::string& input) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return false;
    std::vector<char*> arguments;
    for (const char* const word : words) arguments.push_back(const_cast<char*>(word));
    arguments.push_back(nullptr);
    const bool is_written =
        write(ends[1], input.data(), input.size()) == static_cast<ssize_t>(input.size());
    close(ends[1]);
    const pid_t child = fork();
    if (child == 0) {
      if (setns(network, CLONE_NEWNET) != 0) _exit(126);
      dup2(ends[0], STDIN_FILENO);
      execv(arguments[0], arguments.data());
      _exit(127);
    }
    close(ends[0]);
    int status = 0;
    return child > 0 && waitpid(child, &status, 0) == child && is_written && status == 0;
  }

  int hub_ = -1;
  std::vector<Host> hosts_;
};

}  // namespace longtail::test
