#include "cli/doctor_network.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cluster/tcp_address.h"
#include "io/host_address.h"
#include "io/zmq_network.h"

namespace longtail::cli {
namespace {

bool IsLoopback(const std::string& address) {
  return address.starts_with("127.") || address == "::1";
}

std::string FixOf(const std::string& check, const std::string& problem, std::uint32_t port) {
  if (problem.find("in use") != std::string::npos) {
    return absl::StrCat("`ss -ltnp 'sport = :", port,
                        "'` names who listens there: end that, or give --", check, " another port");
  }
  if (problem.find("ermission") != std::string::npos) {
    return absl::StrCat("a port below 1024 takes CAP_NET_BIND_SERVICE: give --", check,
                        " a port from 1024 on");
  }
  return absl::StrCat("give --", check,
                      " an address of this machine (`ip addr`), or one of all of "
                      "them (* or 0.0.0.0), and tell others the name by --advertise");
}

}  // namespace

void CheckListen(const std::string& check, const std::string& listen, std::uint32_t places,
                 Findings& findings) {
  const absl::StatusOr<TcpAddress> address = ParseTcpAddress(listen);
  if (!address.ok()) {
    return findings.Fail(check, listen, std::string(address.status().message()),
                         check == "listen" ? "--listen tcp://*:7001" : "--admin 0.0.0.0:9100");
  }
  const auto network = ZmqNetwork::Create({});
  if (!network.ok()) {
    return findings.Fail(check, listen, std::string(network.status().message()),
                         "raise the limits that it names");
  }
  const std::uint32_t count = address->port == 0 ? 1 : std::max(places, 1U);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t port = address->port + i;
    const std::string at[] = {absl::StrCat("tcp://", address->host, ":", port)};
    const auto endpoint = port > 65535 ? absl::StatusOr<std::unique_ptr<ZmqEndpoint>>(
                                             absl::InvalidArgumentError("there is no such port"))
                                       : (*network)->Join(NodeId{1}, at);
    if (!endpoint.ok()) {
      const std::string problem(endpoint.status().message());
      return findings.Fail(check, at[0], problem, FixOf(check, problem, port));
    }
  }
  findings.Ok(
      check, listen,
      count == 1 ? "free" : absl::StrCat("this and the ", count - 1, " that follow are free"));
}

void CheckAdvertise(const std::string& advertise, const std::string& listen, Findings& findings) {
  std::string host = advertise;
  std::string by_whom = "--advertise";
  if (host.empty()) {
    const absl::StatusOr<TcpAddress> address = ParseTcpAddress(listen);
    if (!address.ok()) return;  // CheckListen has said so.
    host = ReachableHost(address->host);
    by_whom = "--listen";
  }
  const absl::StatusOr<std::vector<std::string>> addresses = ResolveHost(host);
  if (!addresses.ok()) {
    return findings.Fail("advertise", host, std::string(addresses.status().message()),
                         absl::StrCat("others are to connect to it: have the name in DNS or "
                                      "/etc/hosts, or give --advertise another"));
  }
  const std::vector<std::string> own = OwnAddresses();
  const std::string seen = absl::StrJoin(*addresses, ", ");
  const bool is_ours = std::ranges::any_of(*addresses, [&](const std::string& address) {
    return IsLoopback(address) || std::ranges::find(own, address) != own.end();
  });
  if (!is_ours) {
    return findings.Fail(
        "advertise", host,
        absl::StrCat(seen, ": no interface of this machine has it, but ", absl::StrJoin(own, ", ")),
        absl::StrCat("others would connect elsewhere: give ", by_whom,
                     " a name of this machine, "
                     "or mend the name's entry (a forwarded address, of a load balancer say, will "
                     "not do: lanes are asked directly)"));
  }
  if (std::ranges::all_of(*addresses, IsLoopback)) {
    return findings.Warn("advertise", host,
                         absl::StrCat(seen, ": processes on other machines cannot reach that"),
                         "--listen 'tcp://*:PORT' --advertise NAME, unless all of the cluster is "
                         "on this machine");
  }
  findings.Ok("advertise", host, seen);
}

}  // namespace longtail::cli
