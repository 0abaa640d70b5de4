#include "cli/doctor_cluster.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/version.h"
#include "cli/key_check.h"
#include "cli/number_text.h"
#include "cluster/coordinator_place.h"
#include "cluster/node_answers.h"
#include "cluster/tcp_address.h"
#include "io/host_address.h"
#include "io/probe_address.h"
#include "protocol/lane_leader.h"

namespace longtail::cli {
namespace {

// Clocks say when a log's records were taken, and how old is what is kept.
constexpr absl::Duration kClockOff = absl::Seconds(1);
constexpr absl::Duration kClockFarOff = absl::Seconds(60);
constexpr double kReaderBehindSeconds = 10;
constexpr std::size_t kNamedMax = 8;
constexpr const char* kCoordinator = "coordinator";

std::string MillisecondsText(absl::Duration duration) {
  return absl::StrFormat("%.1f ms", absl::ToDoubleMilliseconds(duration));
}

// "3, 4, 5 and 2 more"
std::string SomeOf(const std::vector<std::string>& names) {
  const std::size_t shown = std::min(names.size(), kNamedMax);
  std::string text =
      absl::StrJoin(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown), ", ");
  if (names.size() > shown) absl::StrAppend(&text, " and ", names.size() - shown, " more");
  return text;
}

// What to do if nobody can be reached where `who` should be: a server's name, or the coordinator.
std::string ReachFix(Reach reach, const std::string& who, const std::string& address) {
  const bool is_server = who != kCoordinator;
  const std::string name = is_server ? absl::StrCat("server ", who) : "the coordinator";
  switch (reach) {
    case Reach::kNoAddress:
      return "want tcp://HOST:PORT";
    case Reach::kNoName:
      return absl::StrCat(
          "have the name in DNS or /etc/hosts here; in Kubernetes a headless "
          "Service with publishNotReadyAddresses",
          is_server ? "; or start it with another --advertise" : "");
    case Reach::kRefused:
      return absl::StrCat("start ", name,
                          ", or look why it ended (its log; in Kubernetes `kubectl logs "
                          "--previous`); if it runs, compare its --listen with ",
                          address);
    case Reach::kNoAnswer:
      return "look at the machine, at firewalls and, in Kubernetes, at NetworkPolicies between "
             "here "
             "and there";
    case Reach::kSilent:
      return absl::StrCat(
          "`ss -ltnp` there names what listens: a stopped process goes on with kill "
          "-CONT; another program is not ",
          name);
    case Reach::kForeign:
      return absl::StrCat("`ss -ltnp` there names what listens: the address of ", name,
                          " is another one");
    case Reach::kOtherKeys:
      return "both ends are to have keys of one cluster, or neither: --coordinator "
             "ADDRESS?keys=DIRECTORY; `longtail keys` makes them";
    case Reach::kGreets:
      break;
  }
  return "";
}

std::string HostOf(const std::string& address) {
  const absl::StatusOr<TcpAddress> parts = ParseTcpAddress(address);
  return parts.ok() ? parts->host : address;
}

// Name and connection. False: there is nobody to ask.
bool CheckReach(const std::string& check, const std::string& who, const std::string& address,
                const std::shared_ptr<Keyring>& keys, absl::Duration timeout, Findings& findings) {
  const AddressProbe probe = ProbeReach(address, timeout, keys != nullptr);
  if (probe.reach == Reach::kGreets) return true;
  const char* const part =
      probe.reach == Reach::kNoName || probe.reach == Reach::kNoAddress ? "-name" : "-connection";
  findings.Fail(check + part, who, absl::StrCat(address, ": ", probe.words),
                ReachFix(probe.reach, who, address));
  return false;
}

void CheckVersion(const std::string& who, const std::string& version, Findings& findings) {
  if (version == ProgramVersion()) return;
  findings.Warn("version", who,
                absl::StrCat("Longtail ", version, "; this program is ", ProgramVersion()),
                "upgrade one after the other until all are of one version: the coordinator first, "
                "then servers, then programs that train");
}

void CheckClock(const std::string& who, const NodeAnswer& answer, Findings& findings) {
  const absl::Duration off = absl::AbsDuration(answer.clock_ahead);
  if (off - answer.took / 2 < kClockOff) return;  // As far as can be told.
  const std::string seen =
      absl::StrFormat("%.1f s %s of this machine's", absl::ToDoubleSeconds(off),
                      answer.clock_ahead > absl::ZeroDuration() ? "ahead" : "behind");
  const std::string fix = "have both machines follow one clock: `timedatectl`, `chronyc tracking`";
  if (off >= kClockFarOff) return findings.Fail("clock", who, seen, fix);
  findings.Warn("clock", who, seen, fix);
}

void CheckAnswer(const std::string& who, const std::string& address, const NodeAnswer& answer,
                 Findings& findings) {
  if (!answer.about.ok()) {
    const bool is_foreign = absl::IsInvalidArgument(answer.about.status());
    findings.Fail(
        is_foreign ? "version" : "answer", who,
        absl::StrCat(address, ": ", std::string(answer.about.status().message())),
        is_foreign ? absl::StrCat("it is of another version than this program (", ProgramVersion(),
                                  "): use the program that it was started with, or upgrade it")
                   : "it accepts connections and answers nothing: look at its log and at what it "
                     "waits for; a process that is stopped goes on with kill -CONT");
    return;
  }
  CheckVersion(who, answer.about->version, findings);
  CheckClock(who, answer, findings);
}

// The places of one server: each address once.
struct Places {
  std::string who;
  std::vector<std::string> addresses;
};

void CheckServers(const ClusterMap& map, const std::shared_ptr<Keyring>& keys,
                  absl::Duration timeout, Findings& findings) {
  std::vector<Places> servers;
  for (const ServerEntry& server : map.servers) {
    Places& places = servers.emplace_back();
    places.who = server.name;
    for (const LaneEntry& lane : server.lanes) {
      if (!lane.addresses.empty()) places.addresses.push_back(lane.addresses[0]);
    }
  }
  std::vector<std::string> asked;
  std::vector<std::size_t> server_of;
  for (std::size_t s = 0; s < servers.size(); ++s) {
    for (const std::string& address : servers[s].addresses) {
      // (The others of a server that is away are away, too: one wait is enough.)
      if (!CheckReach("server", servers[s].who, address, keys, timeout, findings)) break;
      asked.push_back(address);
      server_of.push_back(s);
    }
  }
  if (asked.empty()) return;
  const absl::StatusOr<std::vector<NodeAnswer>> answers = AskNodes(asked, timeout, keys);
  if (!answers.ok()) {
    return findings.Fail("answer", "", std::string(answers.status().message()),
                         "raise the limits that it names");
  }
  for (std::size_t s = 0; s < servers.size(); ++s) {
    const std::size_t before = findings.list().size();
    std::size_t places = 0;
    const NodeAnswer* last = nullptr;
    for (std::size_t i = 0; i < asked.size(); ++i) {
      if (server_of[i] != s) continue;
      ++places;
      last = &(*answers)[i];
      if (findings.list().size() == before) {  // One place of a server tells of its process.
        CheckAnswer(servers[s].who, asked[i], *last, findings);
      }
    }
    if (last == nullptr || findings.list().size() != before || !last->about.ok()) continue;
    if (places != servers[s].addresses.size()) continue;  // Said above.
    findings.Ok("server", servers[s].who,
                absl::StrCat(CountedText(places, "place"), " at ", HostOf(servers[s].addresses[0]),
                             ", answers in ", MillisecondsText(last->took), ", version ",
                             last->about->version, ", clock off by ",
                             MillisecondsText(absl::AbsDuration(last->clock_ahead))));
  }
}

void CheckLanes(const ClusterMap& map, Findings& findings) {
  std::vector<std::string> leaderless;
  std::vector<std::string> short_of;
  std::vector<std::string> joining;
  for (const NodeId lane : map.lanes) {
    std::uint32_t holders = 0;
    bool is_joining = false;
    for (const ServerEntry& server : map.servers) {
      for (const LaneEntry& entry : server.lanes) {
        if (entry.node != lane) continue;
        if (entry.role == ReplicaRole::kJoining) is_joining = true;
        if (entry.role == ReplicaRole::kLeader || entry.role == ReplicaRole::kFollower ||
            entry.role == ReplicaRole::kSuccessor) {
          ++holders;
        }
      }
    }
    const std::string name = absl::StrCat(static_cast<std::uint32_t>(lane));
    if (!FindLeader(map, lane)) leaderless.push_back(name);
    if (holders < map.replicas) (is_joining ? joining : short_of).push_back(name);
  }
  if (!leaderless.empty()) {
    findings.Fail("leaders", "", absl::StrCat("nobody leads lane ", SomeOf(leaderless)),
                  "start the servers again that had them, under their names and on their logs");
  } else {
    findings.Ok("leaders", "",
                absl::StrCat("all ", CountedText(map.lanes.size(), "lane"), " are led"));
  }
  if (map.replicas < 2) return;
  if (!short_of.empty()) {
    findings.Warn("replicas", "",
                  absl::StrCat("lane ", SomeOf(short_of), ": fewer than ", map.replicas,
                               " replicas: the next server that is lost may take rows with it"),
                  "start the server that is missing again, under its name; or start one more and "
                  "`longtail rebalance`");
  }
  if (!joining.empty()) {
    findings.Warn("replicas", "",
                  absl::StrCat("lane ", SomeOf(joining), ": a replica is being brought up to date"),
                  "wait: `longtail status` shows when it follows");
  }
  if (short_of.empty() && joining.empty()) {
    findings.Ok("replicas", "", absl::StrCat(map.replicas, " of each lane"));
  }
}

// While the cluster's own key is changed: how far that has come.
void CheckRotation(const ClusterStatus& status, const Keys& keys, absl::Duration timeout,
                   Findings& findings) {
  if (keys.cluster.size() < 2) return;
  const std::vector<PlaceKeys> places = KeysShown(status, keys, std::nullopt, timeout);
  std::vector<std::string> parts;
  for (const std::string& key : keys.cluster) {
    const auto count = std::ranges::count(places, std::optional(key), &PlaceKeys::shown);
    parts.push_back(absl::StrCat(count, " of ", places.size(), " places show ", key));
  }
  findings.Warn("rotation", "",
                absl::StrCat("the cluster's key is being changed: ", absl::StrJoin(parts, ", ")),
                "longtail keys check DIRECTORY --cluster ADDRESS says when the next step may be "
                "made: docs/runbook/rotate-keys.md");
}

}  // namespace

void CheckHealth(const ClusterStatus& status, Findings& findings) {
  if (status.map == nullptr) {
    return findings.Fail("formed", "", absl::StrCat("not yet: waits for ", status.waits_for),
                         "start them with --coordinator of this one; if fewer are meant, start the "
                         "coordinator anew with that many --servers");
  }
  const ClusterMap& map = *status.map;
  findings.Ok("formed", "",
              absl::StrCat(CountedText(map.servers.size(), "server"), ", ",
                           CountedText(map.lanes.size(), "lane"), ", map version ", map.version));
  for (const Member& member : status.members) {
    const bool is_worker = member.kind == MemberKind::kWorker;
    if (member.is_late && is_worker) {
      findings.Warn(
          "worker", member.name,
          absl::StrFormat("silent for %.1f s", static_cast<double>(member.silent_ms) / 1000),
          "look whether it lives; its rank is free once its lease is over");
    } else if (member.is_late) {
      findings.Fail("member", member.name,
                    absl::StrFormat("silent for %.1f s; it led %d lanes",
                                    static_cast<double>(member.silent_ms) / 1000, member.lanes),
                    "start it again under its name, on its log if it keeps one; or have its lanes "
                    "elsewhere: `longtail drain`");
    }
    if (member.reads != 0 && static_cast<double>(member.behind_ms) / 1000 > kReaderBehindSeconds) {
      findings.Warn("reader", member.name,
                    absl::StrFormat("%.1f s behind the leaders",
                                    static_cast<double>(member.behind_ms) / 1000),
                    "look at its network and its cores: it takes all that is pushed");
    }
  }
  for (const ServerEntry& server : map.servers) {
    if (!server.is_drained || status.moves_left != 0) continue;
    const bool has_some = std::ranges::any_of(server.lanes, [](const LaneEntry& lane) {
      return lane.role == ReplicaRole::kLeader || lane.role == ReplicaRole::kFollower;
    });
    if (!has_some) continue;
    findings.Warn("drained", server.name, "is to have no lanes, has some, and no move is left",
                  "the others have no free place for them: start another server, then `longtail "
                  "drain` again");
  }
  if (status.moves_left != 0) {
    findings.Ok("moves", "", absl::StrCat(CountedText(status.moves_left, "move"), " under way"));
  }
  CheckLanes(map, findings);
}

void CheckCluster(const std::string& place, absl::Duration timeout, Findings& findings) {
  const absl::StatusOr<CoordinatorPlace> at = FindCoordinator(place);
  if (!at.ok()) {
    return findings.Fail("coordinator-name", place, std::string(at.status().message()),
                         "--coordinator tcp://HOST:PORT, or the file that `longtail coordinator "
                         "--write-address` wrote");
  }
  const absl::StatusOr<std::shared_ptr<Keyring>> keys = at->OpenKeys();
  if (!keys.ok()) {
    return findings.Fail("keys", at->keys, std::string(keys.status().message()),
                         "ADDRESS?keys=DIRECTORY: the directory that `longtail keys` made for this "
                         "client, readable by its user");
  }
  const std::string& address = at->address;
  if (!CheckReach("coordinator", kCoordinator, address, *keys, timeout, findings)) return;
  if (const auto names = ResolveHost(HostOf(address)); names.ok()) {
    findings.Ok("coordinator-name", HostOf(address), absl::StrJoin(*names, ", "));
  }
  const absl::StatusOr<ClusterStatus> status = ReadClusterStatus(place, timeout);
  const std::string addresses[] = {address};
  const absl::StatusOr<std::vector<NodeAnswer>> about = AskNodes(addresses, timeout, *keys);
  if (!status.ok()) {
    const std::string problem(status.status().message());
    const bool is_lane = problem.find("of a server") != std::string::npos;
    if (problem.find("refuses the keys of") != std::string::npos) {
      return findings.Fail("keys", at->keys, problem,
                           "have them made by `longtail keys add` from the cluster's own keys, "
                           "which puts them on its list; servers see a new list within seconds, in "
                           "Kubernetes when the node has brought it");
    }
    return findings.Fail(
        absl::IsInvalidArgument(status.status()) ? "version" : "answer", "coordinator", problem,
        is_lane ? "that is a server's address: give the coordinator's"
                : "look at the coordinator's log; a process that is stopped goes on with kill "
                  "-CONT; one of another version wants its own program");
  }
  if (about.ok()) {
    const std::size_t before = findings.list().size();
    CheckAnswer("coordinator", address, (*about)[0], findings);
    if (findings.list().size() == before) {
      findings.Ok("coordinator", address,
                  absl::StrCat("answers in ", MillisecondsText((*about)[0].took), ", version ",
                               (*about)[0].about->version, ", clock off by ",
                               MillisecondsText(absl::AbsDuration((*about)[0].clock_ahead))));
    }
  }
  if (status->map != nullptr) CheckServers(*status->map, *keys, timeout, findings);
  if (*keys != nullptr) CheckRotation(*status, *(*keys)->keys(), timeout, findings);
  CheckHealth(*status, findings);
}

}  // namespace longtail::cli
