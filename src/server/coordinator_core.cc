#include "server/coordinator_core.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "protocol/step_mode_names.h"
#include "server/replica_places.h"

namespace longtail::server {
namespace {

// A lane that has not answered is told again.
constexpr absl::Duration kResendAfter = absl::Seconds(1);

absl::Status ValidateOptions(const CoordinatorCore::Options& options) {
  if (options.servers < 1 || options.servers > kServerCountMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("servers ", options.servers, ": want 1..", kServerCountMax));
  }
  if (!std::has_single_bit(options.partitions) || options.partitions > kPartitionCountMax) {
    return absl::InvalidArgumentError(absl::StrCat(
        "partitions ", options.partitions, ": want a power of two, 1..", kPartitionCountMax));
  }
  if (options.workers < 1 || options.workers > kWorkerCountMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("workers ", options.workers, ": want 1..", kWorkerCountMax));
  }
  if (options.staleness > kStalenessMax ||
      (options.staleness != 0 && options.step_mode != StepMode::kBoundedStaleness)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "staleness ", options.staleness, ": want 0, or up to ", kStalenessMax, " in bounded mode"));
  }
  if (options.lease <= absl::ZeroDuration() || options.server_lease <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError("lease: want more than 0");
  }
  const std::uint32_t replicas_max = std::min(options.servers, kReplicaCountMax);
  if (options.replicas < 1 || options.replicas > replicas_max) {
    return absl::InvalidArgumentError(absl::StrCat("replicas ", options.replicas, ": want 1..",
                                                   replicas_max, ", each on a server of its own"));
  }
  return absl::OkStatus();
}

template <typename T>
absl::Status CheckSame(const char* name, const T& wanted, const T& kept) {
  if (wanted == kept) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(name, " ", wanted,
                                                    ": this coordinator's state says ", kept,
                                                    "; want that, or another state directory"));
}

std::size_t LaneCount(const std::vector<ServerEntry>& servers) {
  std::size_t lanes = 0;
  for (const ServerEntry& server : servers) lanes += server.lanes.size();
  return lanes;
}

// Equal but for the node numbers, which the coordinator gives.
bool IsSameProcess(const ServerEntry& a, const ServerEntry& b) {
  return a.name == b.name && a.incarnation == b.incarnation;
}

}  // namespace

absl::StatusOr<std::unique_ptr<CoordinatorCore>> CoordinatorCore::Make(const Options& options) {
  LONGTAIL_RETURN_IF_ERROR(ValidateOptions(options));
  CoordinatorState state;
  state.server_count = options.servers;
  state.map.step_mode = options.step_mode;
  state.map.staleness = options.staleness;
  state.map.worker_count = options.workers;
  state.map.cluster = options.cluster;
  state.map.replicas = options.replicas;
  state.map.lane_of.assign(options.partitions, 0);
  return std::unique_ptr<CoordinatorCore>(new CoordinatorCore(options, std::move(state)));
}

absl::StatusOr<std::unique_ptr<CoordinatorCore>> CoordinatorCore::Resume(const Options& options,
                                                                         CoordinatorState state) {
  LONGTAIL_RETURN_IF_ERROR(ValidateOptions(options));
  LONGTAIL_RETURN_IF_ERROR(CheckSame("servers", options.servers, state.server_count));
  LONGTAIL_RETURN_IF_ERROR(
      CheckSame("partitions", std::size_t{options.partitions}, state.map.lane_of.size()));
  LONGTAIL_RETURN_IF_ERROR(CheckSame("workers", options.workers, state.map.worker_count));
  LONGTAIL_RETURN_IF_ERROR(
      CheckSame("step mode", StepModeName(options.step_mode), StepModeName(state.map.step_mode)));
  LONGTAIL_RETURN_IF_ERROR(CheckSame("staleness", options.staleness, state.map.staleness));
  LONGTAIL_RETURN_IF_ERROR(CheckSame("replicas", options.replicas, state.map.replicas));
  return std::unique_ptr<CoordinatorCore>(new CoordinatorCore(options, std::move(state)));
}

CoordinatorCore::CoordinatorCore(const Options& options, CoordinatorState state)
    : options_(options), state_(std::move(state)), stored_(state_) {
  if (is_formed()) map_ = std::make_shared<const ClusterMap>(state_.map);
}

void CoordinatorCore::Start(absl::Time now) {
  if (started_) return;
  started_ = true;
  // Nobody could be heard while there was no coordinator: all have a fresh lease.
  for (const ServerEntry& server : state_.map.servers) servers_heard_[server.name].at = now;
  for (const WorkerEntry& worker : state_.workers) workers_heard_[worker.session] = now;
}

void CoordinatorCore::Step(const Envelope& event, absl::Time now, Effects& effects) {
  Start(now);
  std::visit([&](const auto& message) { On(event.source, message, now, effects); }, event.body);
}

void CoordinatorCore::OnStored(const StoreAnswer& answer, absl::Time now, Effects& effects) {
  if (answer.ticket + 1 != next_ticket_) return;
  std::vector<Envelope> answers = std::move(when_stored_);
  when_stored_.clear();
  if (answer.status.ok()) {
    stored_ = state_;
    const bool is_news = is_formed() && (map_ == nullptr || map_->version != state_.map.version);
    if (is_formed()) map_ = std::make_shared<const ClusterMap>(state_.map);
    if (is_news) SendNews(now, effects);
    ForgetSessions(effects);
    for (Envelope& envelope : answers) {
      if (auto* reply = std::get_if<MapReply>(&envelope.body)) reply->map = map_;
      effects.sends.push_back(std::move(envelope));
    }
    if (state_.pending && table_request_ == 0) TellLanesOfTable(now, effects);
    if (!state_.pending && !tables_.empty()) StartTable(effects);
    return;
  }
  // What could not be written has not happened.
  state_ = stored_;
  const absl::Status refusal(
      answer.status.code(),
      absl::StrCat("the coordinator cannot write its state: ", answer.status.message()));
  for (Envelope& envelope : answers) {
    std::visit(
        [&](auto& body) {
          using T = std::decay_t<decltype(body)>;
          if constexpr (requires { body.status; }) {
            T refused{};
            refused.request = body.request;
            refused.status = refusal;
            body = std::move(refused);
          }
        },
        envelope.body);
    effects.sends.push_back(std::move(envelope));
  }
  if (!state_.pending && !tables_.empty()) {
    const Asker asker = tables_.front().asker;
    tables_.pop_front();
    Send(asker.source, TableReply{asker.request, refusal, {}}, effects);
  }
}

void CoordinatorCore::Tick(absl::Time now, Effects& effects) {
  Start(now);
  if (state_.pending && table_request_ == 0) TellLanesOfTable(now, effects);
  if (now >= resend_at_) Resend(now, effects);
  LookAfterLanes({}, now, effects);
  absl::Time next = absl::InfiniteFuture();
  for (const auto& [session, heard] : workers_heard_) {
    if (leaving_.contains(session)) continue;
    if (now >= heard + options_.lease) {
      ++given_up_;
      StartLeaving(session, now, effects);
    } else {
      next = std::min(next, heard + options_.lease);
    }
  }
  next = std::min(next, resend_at_);
  if (next != absl::InfiniteFuture()) effects.WakeAt(next);
}

void CoordinatorCore::Resend(absl::Time now, Effects& effects) {
  resend_at_ = absl::InfiniteFuture();
  if (table_request_ != 0 && !table_untold_.empty()) TellLanesOfTable(now, effects);
  for (auto& [session, leaving] : leaving_) {
    for (const NodeId lane : leaving.untold) {
      Send(lane, CloseSession{leaving.request, session}, effects);
    }
    if (!leaving.untold.empty()) ResendAt(now + kResendAfter, effects);
  }
}

void CoordinatorCore::ResendAt(absl::Time when, Effects& effects) {
  resend_at_ = std::min(resend_at_, when);
  effects.WakeAt(resend_at_);
}

// --- Servers -------------------------------------------------------------------------------------

void CoordinatorCore::On(NodeId source, const JoinServer& m, absl::Time now, Effects& effects) {
  const std::uint64_t version = state_.map.version;
  const absl::Status joined = Join(m, now);
  const Asker asker{source, m.request};
  if (!joined.ok() || version == state_.map.version) return SendMap(asker, joined, effects);
  when_stored_.push_back(
      {kCoordinatorNode, source, MapReply{m.request, absl::OkStatus(), "", nullptr}});
  Save(effects);
}

absl::Status CoordinatorCore::Join(const JoinServer& m, absl::Time now) {
  const ServerEntry& server = m.server;
  if (server.name.empty() || server.lanes.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("server '", server.name, "' with ",
                                                   server.lanes.size(),
                                                   " lanes: want a name and at least one lane"));
  }
  if (m.cluster != 0 && (m.cluster != state_.map.cluster || !is_formed())) {
    return absl::FailedPreconditionError(absl::StrCat(
        "server '", server.name, "' has the log of another cluster: want that one's coordinator, ",
        "with its state, or an empty directory for the log"));
  }
  if (is_formed()) return Rejoin(m, now);
  if (IsReader(server)) {
    return absl::UnavailableError(absl::StrCat("server '", server.name, "' only reads, and ",
                                               "the cluster waits for ", WaitsFor()));
  }
  const auto same = std::ranges::find(joining_, server.name, &ServerEntry::name);
  if (same != joining_.end() && !IsSameProcess(*same, server) &&
      now < servers_heard_[server.name].at + options_.lease) {
    // It may be the next life of one that just ended, so it is to ask again.
    return absl::UnavailableError(absl::StrCat(
        "server name '", server.name, "' is taken by another process, unless that is silent for ",
        absl::FormatDuration(options_.lease), ": want another name"));
  }
  // Those who stopped asking before the cluster was formed are not waited for.
  std::erase_if(joining_, [&](const ServerEntry& other) {
    return other.name == server.name || now >= servers_heard_[other.name].at + options_.lease;
  });
  LONGTAIL_RETURN_IF_ERROR(CheckPlaces(server, options_.replicas));
  LONGTAIL_RETURN_IF_ERROR(CheckLog(server));
  if (options_.replicas > 1 && !joining_.empty() &&
      joining_[0].lanes.size() != server.lanes.size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "server '", server.name, "' has places for ", server.lanes.size(), " replicas of lanes, '",
        joining_[0].name, "' for ", joining_[0].lanes.size(), ": want as many in each"));
  }
  const std::size_t lanes = (LaneCount(joining_) + server.lanes.size()) / options_.replicas;
  if (lanes > options_.partitions) {
    return absl::InvalidArgumentError(
        absl::StrCat("server '", server.name, "' with ", server.lanes.size(), " lanes makes ",
                     lanes, ": want at most ", options_.partitions, ", one for each partition"));
  }
  joining_.push_back(server);
  servers_heard_[server.name].at = now;
  if (joining_.size() == state_.server_count) Form();
  return absl::OkStatus();
}

void CoordinatorCore::Form() {
  ClusterMap& map = state_.map;
  has_formed_ = true;
  map.servers = std::move(joining_);
  joining_.clear();
  std::ranges::sort(map.servers, {}, &ServerEntry::name);
  if (map.replicas > 1) {
    FormReplicas(map);
  } else {
    std::uint32_t number = static_cast<std::uint32_t>(kCoordinatorNode);
    for (ServerEntry& server : map.servers) {
      for (LaneEntry& lane : server.lanes) {
        lane.node = NodeId{++number};
        map.lanes.push_back(lane.node);
      }
    }
    map.lane_epochs.assign(map.lanes.size(), 1);
  }
  // A lane's partitions follow one another, so its part of a sorted batch of keys is one run.
  for (std::size_t p = 0; p < map.lane_of.size(); ++p) {
    map.lane_of[p] = static_cast<std::uint32_t>(p * map.lanes.size() / map.lane_of.size());
  }
  map.version = 1;
}

std::string CoordinatorCore::ServerNames(const std::vector<ServerEntry>& servers) {
  return absl::StrJoin(servers, ", ", [](std::string* out, const ServerEntry& server) {
    absl::StrAppend(out, server.name);
  });
}

std::string CoordinatorCore::WaitsFor() const {
  if (is_formed()) return "";
  return absl::StrCat(state_.server_count - joining_.size(), " of ", state_.server_count,
                      " servers", joining_.empty() ? "" : "; here: ", ServerNames(joining_));
}

void CoordinatorCore::On(NodeId source, const MapRequest& m, absl::Time, Effects& effects) {
  SendMap({source, m.request}, absl::OkStatus(), effects);
}

void CoordinatorCore::SendMap(Asker to, absl::Status status, Effects& effects) {
  MapReply reply{
      .request = to.request, .status = std::move(status), .waits_for = WaitsFor(), .map = nullptr};
  if (reply.status.ok()) reply.map = map_;
  Send(to.source, std::move(reply), effects);
}

// Whoever says that it lives is told of a newer map at once: a lane that changes hands stands still
// until all know.
void CoordinatorCore::SendNews(absl::Time now, Effects& effects) {
  absl::erase_if(listeners_, [&](const auto& l) { return now >= l.second + options_.lease; });
  for (const auto& [listener, heard] : listeners_) {
    SendMap({listener, 0}, absl::OkStatus(), effects);
  }
}

// --- Workers -------------------------------------------------------------------------------------

void CoordinatorCore::On(NodeId source, const JoinWorker& m, absl::Time now, Effects& effects) {
  const std::size_t before = state_.workers.size();
  const absl::StatusOr<WorkerEntry> place = Place(m);
  WorkerPlace reply{
      .request = m.request,
      .status = place.status(),
      .session = {},
      .rank = 0,
      .lease_ms = static_cast<std::uint32_t>(absl::ToInt64Milliseconds(options_.lease))};
  if (place.ok()) {
    reply.session = place->session;
    reply.rank = place->rank;
    workers_heard_[place->session] = now;
    effects.WakeAt(now + options_.lease);
  }
  if (state_.workers.size() == before) return Send(source, std::move(reply), effects);
  when_stored_.push_back({kCoordinatorNode, source, std::move(reply)});
  Save(effects);
}

absl::StatusOr<WorkerEntry> CoordinatorCore::Place(const JoinWorker& m) {
  if (!is_formed()) {
    return absl::UnavailableError(absl::StrCat("the cluster waits for ", WaitsFor()));
  }
  std::vector<const WorkerEntry*> by_rank(state_.map.worker_count, nullptr);
  for (const WorkerEntry& worker : state_.workers) {
    if (worker.incarnation == m.incarnation && worker.name == m.name) return worker;
    by_rank[worker.rank] = &worker;
  }
  std::uint32_t rank = m.rank;
  if (rank == kAnyRank) {
    rank = static_cast<std::uint32_t>(std::ranges::find(by_rank, nullptr) - by_rank.begin());
    if (rank == by_rank.size()) {
      return absl::UnavailableError(
          absl::StrCat("all ", by_rank.size(), " workers of this cluster are connected; the first ",
                       "is '", by_rank[0]->name, "'"));
    }
  } else if (rank >= by_rank.size()) {
    return absl::InvalidArgumentError(absl::StrCat("worker rank ", rank, ": this cluster has ",
                                                   by_rank.size(), " workers, want 0..",
                                                   by_rank.size() - 1));
  } else if (by_rank[rank] != nullptr) {
    return absl::UnavailableError(
        absl::StrCat("worker rank ", rank, " belongs to '", by_rank[rank]->name,
                     "' until it leaves or is silent for ", absl::FormatDuration(options_.lease)));
  }
  state_.workers.push_back({SessionId{state_.next_session++}, rank, m.name, m.incarnation});
  return state_.workers.back();
}

void CoordinatorCore::On(NodeId source, const Heartbeat& m, absl::Time now, Effects& effects) {
  MapReply reply{
      .request = m.request, .status = CheckPlace(m, now), .waits_for = {}, .map = nullptr};
  if (reply.status.ok()) listeners_[source] = now;
  if (reply.status.ok() && m.session == SessionId{}) LookAfterLanes(m, now, effects);
  if (reply.status.ok() && map_ != nullptr && m.map_version != map_->version) reply.map = map_;
  Send(source, std::move(reply), effects);
}

absl::Status CoordinatorCore::CheckPlace(const Heartbeat& m, absl::Time now) {
  if (m.session == SessionId{}) {
    const auto found = std::ranges::find_if(state_.map.servers, [&](const ServerEntry& server) {
      return server.name == m.server && server.incarnation == m.incarnation;
    });
    if (found == state_.map.servers.end()) {
      return absl::NotFoundError(absl::StrCat("server '", m.server, "' has no place here"));
    }
    Heard& heard = servers_heard_[m.server];
    heard.at = now;
    heard.rows = m.rows;
    heard.bytes = m.bytes;
    heard.map_version = m.map_version;
    heard.behind_ms = m.behind_ms;
    if (!m.tables.empty()) heard.tables = m.tables;
    TakeRates(m, now, heard);
    return absl::OkStatus();
  }
  const RolledBack& rolled_back = stored_.map.rolled_back;
  if (m.session < rolled_back.first_session) {
    return absl::NotFoundError(absl::StrCat("session ", static_cast<std::uint64_t>(m.session),
                                            " is of before the rollback to checkpoint '",
                                            rolled_back.checkpoint, "'"));
  }
  const auto heard = workers_heard_.find(m.session);
  if (heard == workers_heard_.end() || leaving_.contains(m.session)) {
    return absl::NotFoundError(absl::StrCat(
        "session ", static_cast<std::uint64_t>(m.session), " has no place: it left, or was silent ",
        "for ", absl::FormatDuration(options_.lease), ", and the others went on without it"));
  }
  heard->second = now;
  return absl::OkStatus();
}

void CoordinatorCore::On(NodeId source, const LeaveWorker& m, absl::Time now, Effects& effects) {
  const bool is_known = workers_heard_.contains(m.session);
  if (!is_known) return Send(source, Acknowledgement{m.request, {}, 0}, effects);
  StartLeaving(m.session, now, effects);
  leaving_[m.session].askers.push_back({source, m.request});
}

void CoordinatorCore::StartLeaving(SessionId session, absl::Time now, Effects& effects) {
  Leaving& leaving = leaving_[session];
  if (leaving.request != 0) return;
  leaving.request = next_request_++;
  for (const NodeId lane : state_.map.lanes) {
    leaving.untold.insert(lane);
    Send(lane, CloseSession{leaving.request, session}, effects);
  }
  ResendAt(now + kResendAfter, effects);
}

// --- Tables --------------------------------------------------------------------------------------

void CoordinatorCore::On(NodeId source, const DefineTable& m, absl::Time, Effects& effects) {
  const Asker asker{source, m.request};
  TableReply reply{.request = m.request, .status = Validate(m.spec), .table = {}};
  if (reply.status.ok() && !is_formed()) {
    reply.status = absl::UnavailableError(absl::StrCat("the cluster waits for ", WaitsFor()));
  }
  const std::vector<TableSpec>& tables = state_.map.tables;
  for (std::size_t i = 0; reply.status.ok() && i < tables.size(); ++i) {
    if (tables[i].name != m.spec.name) continue;
    reply.table = TableId{static_cast<std::uint32_t>(i)};
    if (tables[i] == m.spec) return Send(source, std::move(reply), effects);
    reply.status = absl::AlreadyExistsError(
        absl::StrCat("table '", m.spec.name, "' exists with another spec: want an equal one"));
  }
  if (reply.status.ok() && tables.size() + tables_.size() >= kTableCountMax) {
    reply.status = absl::ResourceExhaustedError(
        absl::StrCat("table '", m.spec.name, "': want at most ", kTableCountMax, " tables"));
  }
  if (!reply.status.ok()) return Send(source, std::move(reply), effects);
  // Asked again while lanes are told: the newest asker is the one that still waits.
  for (WaitingTable& waiting : tables_) {
    if (waiting.spec == m.spec) {
      waiting.asker = asker;
      return;
    }
  }
  tables_.push_back({asker, m.spec});
  if (!state_.pending && when_stored_.empty()) StartTable(effects);
}

void CoordinatorCore::StartTable(Effects& effects) {
  // Two workers may ask for one table before it is there.
  for (std::size_t i = 0; i < state_.map.tables.size(); ++i) {
    if (state_.map.tables[i].name != tables_.front().spec.name) continue;
    const WaitingTable waiting = std::move(tables_.front());
    tables_.pop_front();
    absl::Status status;
    if (state_.map.tables[i] != waiting.spec) {
      status = absl::AlreadyExistsError(absl::StrCat(
          "table '", waiting.spec.name, "' exists with another spec: want an equal one"));
    }
    Send(waiting.asker.source,
         TableReply{waiting.asker.request, status, TableId{static_cast<std::uint32_t>(i)}},
         effects);
    if (!tables_.empty()) StartTable(effects);
    return;
  }
  state_.pending = tables_.front().spec;
  Save(effects);
}

void CoordinatorCore::TellLanesOfTable(absl::Time now, Effects& effects) {
  if (table_request_ == 0) {
    table_request_ = next_request_++;
    table_untold_.insert(state_.map.lanes.begin(), state_.map.lanes.end());
  }
  const TableId id{static_cast<std::uint32_t>(state_.map.tables.size())};
  for (const NodeId lane : table_untold_) {
    Send(lane, CreateTable{table_request_, id, *state_.pending}, effects);
  }
  ResendAt(now + kResendAfter, effects);
}

void CoordinatorCore::On(NodeId source, const Acknowledgement& m, absl::Time, Effects& effects) {
  if (absl::IsUnavailable(m.status)) return;  // Another leads the lane, or will: told again.
  if (table_request_ != 0 && m.request == table_request_) {
    if (!m.status.ok()) return EndTable(m.status, effects);
    table_untold_.erase(source);
    if (table_untold_.empty()) EndTable(absl::OkStatus(), effects);
    return;
  }
  for (auto& [session, leaving] : leaving_) {
    if (leaving.request != m.request) continue;
    leaving.untold.erase(source);
    if (!leaving.untold.empty()) return;
    const SessionId left = session;
    for (const Asker& asker : leaving.askers) {
      when_stored_.push_back(
          {kCoordinatorNode, asker.source, Acknowledgement{asker.request, {}, 0}});
    }
    std::erase_if(state_.workers, [&](const WorkerEntry& w) { return w.session == left; });
    workers_heard_.erase(left);
    leaving_.erase(left);
    return Save(effects);
  }
}

void CoordinatorCore::EndTable(absl::Status status, Effects& effects) {
  table_request_ = 0;
  table_untold_.clear();
  TableReply reply{.request = 0, .status = status, .table = {}};
  reply.table = TableId{static_cast<std::uint32_t>(state_.map.tables.size())};
  if (status.ok()) {
    state_.map.tables.push_back(*state_.pending);
    ++state_.map.version;
  }
  // After a restart nobody asks for it yet.
  if (!tables_.empty() && tables_.front().spec == *state_.pending) {
    reply.request = tables_.front().asker.request;
    when_stored_.push_back({kCoordinatorNode, tables_.front().asker.source, std::move(reply)});
    tables_.pop_front();
  }
  state_.pending.reset();
  Save(effects);
}

// --- Barriers ------------------------------------------------------------------------------------

void CoordinatorCore::On(NodeId source, const EnterBarrier& m, absl::Time, Effects& effects) {
  barriers_.Enter(source, m, effects);
}

void CoordinatorCore::Send(NodeId target, Message message, Effects& effects) {
  effects.sends.push_back({kCoordinatorNode, target, std::move(message)});
}

void CoordinatorCore::Save(Effects& effects) {
  effects.writes.push_back({next_ticket_++, kCoordinatorStateName, EncodeCoordinatorState(state_)});
}

}  // namespace longtail::server
