#include "server/replica_core.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "protocol/lane_leader.h"
#include "protocol/lane_log_names.h"
#include "protocol/wire.h"
#include "server/about_reply.h"
#include "server/lane_place.h"

namespace longtail::server {
namespace {

// A follower that has all there is hears from its leader this often.
constexpr absl::Duration kAnswerWithin = absl::Milliseconds(200);
constexpr absl::Duration kGaugeEvery = absl::Seconds(1);
// A follower that lacks entries is looked at this often; one that has got no further so many times
// is stuck. Looks are counted, not time: a leader that stood still has not looked.
constexpr absl::Duration kLookEvery = absl::Milliseconds(200);
constexpr std::uint32_t kLooksMax = 15;
// A replica that lacks no more than so many entries is waited for.
constexpr std::uint64_t kAwaitedWithin = 64;
// One that has them, but not yet in its log, may lack so many of these there.
constexpr std::uint64_t kAwaitedUnsynced = 4096;
// A base that could not be written is begun again behind so long.
constexpr absl::Duration kBaseAgainAfter = absl::Seconds(1);

// The request of a message that wants an answer; 0: it wants none.
std::uint64_t RequestOf(const Message& message) {
  return std::visit(
      [](const auto& m) -> std::uint64_t {
        if constexpr (requires { m->request; }) {
          return m->request;
        } else if constexpr (
            requires { m.request; } && !requires { m.status; }) {
          return m.request;
        } else {
          return 0;
        }
      },
      message);
}

bool IsPull(const Message& message) {
  return std::holds_alternative<std::shared_ptr<const PullRequest>>(message) ||
         std::holds_alternative<std::shared_ptr<const CompactPull>>(message);
}

bool IsLargeChange(const Message& message) {
  return std::holds_alternative<std::shared_ptr<const PushRequest>>(message) ||
         std::holds_alternative<std::shared_ptr<const CompactPush>>(message) ||
         std::holds_alternative<ImportRows>(message);
}

}  // namespace

// --- Its place -----------------------------------------------------------------------------------

void ReplicaCore::OnMap(const std::shared_ptr<const ClusterMap>& map, absl::Time now,
                        Effects& effects) {
  if (map_ != nullptr && map->version <= map_->version) return;
  const auto server = std::ranges::find(map->servers, options_.server, &ServerEntry::name);
  if (server == map->servers.end() || server->incarnation != options_.incarnation ||
      options_.seat >= server->lanes.size()) {
    return;  // The map is of another process: this one's time has not come, or is over.
  }
  map_ = map;
  const LaneEntry& entry = server->lanes[options_.seat];
  if (entry.node != lane_node_) Leave(effects);
  gauges_.lane_ = lane_node_ = entry.node;
  const std::uint64_t epoch = EpochOf(*map, entry.node);
  const bool is_new_epoch = std::exchange(epoch_, epoch) != epoch;
  const ReplicaRole was = std::exchange(role_, entry.role);
  gauges_.role_ = role_;
  if (!leads()) gauges_.rows_ = 0;
  const bool comes_back = std::exchange(comes_back_, false);
  if (!leads()) WantNone();
  switch (role_) {
    case ReplicaRole::kLeader:
      if (was != ReplicaRole::kLeader)
        return Lead(comes_back ? ReplicaRole::kFollower : was, now, effects);
      if (IsBehindEpoch()) return WantRows(effects);
      if (is_new_epoch) return BeginEpoch(now, effects);
      TakeFollowers();
      MakeTables(now, effects);
      return Commit(now, effects);
    case ReplicaRole::kFollower:
    case ReplicaRole::kSuccessor:
    case ReplicaRole::kJoining:
    case ReplicaRole::kReader:
      if (was == ReplicaRole::kLeader && lane_ != nullptr) lane_->StopLeading(effects);
      return BeginFollowing(now, effects);
    case ReplicaRole::kNone:
      if (was == ReplicaRole::kLeader && lane_ != nullptr) lane_->StopLeading(effects);
      followers_.clear();
      gauges_.SetCaughtUp(lane_node_, 0);
      gauges_.SetStuck({});
      return;
  }
}

std::unique_ptr<LaneCore> ReplicaCore::MakeLane(bool is_empty) {
  absl::StatusOr<LaneCore::Options> options =
      is_empty ? PlaceOfEmptyLane(*map_, lane_node_) : PlaceOfLane(*map_, lane_node_);
  if (!options.ok()) return nullptr;
  options->keeps_log = true;
  options->key_list_bytes_max = options_.key_list_bytes_max;
  options->snapshot = options_.snapshot;
  // Writes of a lane that was here before may still be under way.
  options->snapshot.first_ticket = ++lanes_made_ << 32;
  return std::make_unique<LaneCore>(*options);
}

// A lane without anything, and its log.
void ReplicaCore::BeginLane(Effects& effects) {
  lane_ = MakeLane(true);
  if (keeps_log()) BeginLog(true, effects);
}

void ReplicaCore::BeginLog(bool is_whole, Effects& effects) {
  log_ = std::exchange(next_log_, next_log_ + options_.log_step);
  is_whole_ = is_whole;
  durable_ = lane_->log_end();
  effects.log_begin = Log();
}

LogBegin ReplicaCore::Log() const {
  return {.log = log_,
          .prefix = LaneLogPrefix(options_.server, lane_node_, log_),
          .header = {.lane = static_cast<std::uint32_t>(lane_node_),
                     .cluster = map_ == nullptr ? cluster_ : map_->cluster,
                     .first = lane_->log_end()},
          .is_whole = is_whole_};
}

void ReplicaCore::TakeLane(LoggedLane lane) {
  lane_node_ = lane.lane;
  lane_ = std::move(lane.recovered.core);
  epochs_ = std::move(lane.recovered.epochs);
  tail_ = std::move(lane.recovered.tail);
  cluster_ = lane.recovered.map->cluster;
  log_ = lane.log;
  is_whole_ = true;
  durable_ = lane_->log_end();
}

// Entries before that one are safe here.
std::uint64_t ReplicaCore::Held() const {
  if (!keeps_log()) return lane_->log_end();
  return is_whole_ ? durable_ : 0;
}

bool ReplicaCore::WriteBase(absl::Time now, Effects& effects) {
  // (A base says by its map which epoch its rows are of.)
  const bool may = keeps_log() && lane_ != nullptr && lane_->log_end() > 0 && map_ != nullptr &&
                   lane_->epoch() == map_->epoch;
  return may && lane_->WriteBase(map_, epochs_, Log().prefix, now, effects);
}

void ReplicaCore::OnLogged(std::uint64_t log, std::uint64_t end, absl::Time now, Effects& effects) {
  if (log != log_ || lane_ == nullptr) return;
  durable_ = std::max(durable_, end);
  if (leads()) return Commit(now, effects);
  TellHeld(effects);
}

void ReplicaCore::Leave(Effects& effects) {
  if (log_ != 0) effects.log_begin = LogBegin{.log = 0, .prefix = {}, .is_whole = true};
  log_ = 0;
  role_ = ReplicaRole::kNone;
  lane_.reset();
  tail_.Reset(0);
  epochs_.clear();
  followers_.clear();
  fetching_ = {};
  WantNone();
}

void ReplicaCore::Lead(ReplicaRole was, absl::Time now, Effects& effects) {
  // (A follower without entries is one of a lane that has acknowledged nothing yet.)
  const bool has_all = was == ReplicaRole::kFollower || was == ReplicaRole::kSuccessor ||
                       (lane_ != nullptr && lane_->log_end() > 0);
  if (!has_all && epoch_ != 1) {
    // The coordinator names only who has it all, so this is a mistake; to go on would lose rows.
    role_ = ReplicaRole::kNone;
    gauges_.role_ = role_;
    return Note("it is to lead a lane that it does not have");
  }
  if (lane_ == nullptr) BeginLane(effects);
  fetching_ = {};
  retry_at_ = absl::InfiniteFuture();
  followers_.clear();
  acknowledged_ = lane_->log_end();  // For all that is known here.
  effects.WakeAt(now + kGaugeEvery);
  if (IsBehindEpoch()) return WantRows(effects);
  BeginEpoch(now, effects);
}

// A leadership's first entry is its map.
void ReplicaCore::BeginEpoch(absl::Time now, Effects& effects) {
  // Who counted only because it had caught up is to do so again: the coordinator does not take what
  // it heard of an epoch that is over.
  for (Follower& follower : followers_) follower.is_awaited = false;
  TakeFollowers();
  epochs_.push_back({epoch_, lane_->log_end()});
  lane_->BeginLog(map_, now, effects);
  AfterLane(now, effects);
  MakeTables(now, effects);
}

void ReplicaCore::TakeFollowers() {
  std::vector<Follower> now;
  for (const ServerEntry& server : map_->servers) {
    for (std::uint32_t place = 0; place < server.lanes.size(); ++place) {
      const LaneEntry& entry = server.lanes[place];
      const bool is_successor = entry.role == ReplicaRole::kSuccessor;
      const bool is_follower = entry.role == ReplicaRole::kFollower || is_successor;
      const bool is_reader = entry.role == ReplicaRole::kReader;
      const bool follows = is_follower || is_reader || entry.role == ReplicaRole::kJoining;
      if (entry.node != lane_node_ || !follows) continue;
      const auto known = std::ranges::find_if(followers_, [&](const Follower& f) {
        return f.server == server.name && f.incarnation == server.incarnation && f.place == place;
      });
      if (known != followers_.end()) {
        now.push_back(std::move(*known));
      } else {
        now.push_back({.server = server.name, .incarnation = server.incarnation, .place = place});
      }
      now.back().is_awaited |= is_follower;
      now.back().is_successor = is_successor;
      now.back().is_reader = is_reader;
    }
  }
  followers_ = std::move(now);
  hands_over_ = std::ranges::any_of(followers_, &Follower::is_successor);
  for (Follower& follower : followers_) follower.looks = 0;
  gauges_.SetCaughtUp(lane_node_, 0);
  gauges_.SetStuck({});
}

void ReplicaCore::BeginFollowing(absl::Time now, Effects& effects) {
  followers_.clear();
  gauges_.SetCaughtUp(lane_node_, 0);
  gauges_.SetStuck({});
  if (lane_ == nullptr) BeginLane(effects);
  Fetch(now, effects);
}

void ReplicaCore::Note(std::string problem) {
  problem_ = std::move(problem);
  ++gauges_.problems_;
}

// --- Events --------------------------------------------------------------------------------------

void ReplicaCore::Step(const Envelope& event, absl::Time now, Effects& effects) {
  if (const auto* m = std::get_if<FollowLane>(&event.body)) {
    return OnFollow(event.source, *m, now, effects);
  }
  if (const auto* m = std::get_if<LaneEntries>(&event.body)) return OnEntries(*m, now, effects);
  if (const auto* m = std::get_if<AboutRequest>(&event.body)) {
    return Send(event.source, AboutOf(options_.server, m->request, now), effects);
  }
  if (const auto* m = std::get_if<MapReply>(&event.body)) {
    // (No peer is the coordinator to a transport: it is the server itself that says this.)
    if (event.source == kCoordinatorNode && m->map != nullptr) OnMap(m->map, now, effects);
    return;
  }
  if (role_ == ReplicaRole::kReader && IsPull(event.body)) {
    if (!MayRead(event, now, effects)) return;
    lane_->Step(event, now, effects);
    gauges_.rows_pulled_ = lane_->rows_pulled();
    return;
  }
  if (!leads()) {
    // Its asker's map is older or newer than ours, and one of them will change.
    return Refuse(event,
                  absl::UnavailableError(absl::StrCat("what answers is server '", options_.server,
                                                      "', which does not lead this lane now")),
                  effects);
  }
  if (IsBehindEpoch() && !IsPull(event.body)) {
    return Refuse(
        event,
        absl::UnavailableError(absl::StrCat(
            "lane ", static_cast<std::uint32_t>(lane_node_), " of server '", options_.server,
            "' takes the rows of checkpoint '", map_->rolled_back.checkpoint, "' first",
            problem_.empty() ? "" : ": ", problem_)),
        effects);
  }
  if (!MayChange(event, effects)) return;
  lane_->Step(event, now, effects);
  gauges_.rows_pulled_ = lane_->rows_pulled();
  gauges_.rows_pushed_ = lane_->rows_pushed();
  if (!IsBehindEpoch()) AfterLane(now, effects);
}

void ReplicaCore::OnStored(const StoreAnswer& answer, absl::Time now, Effects& effects) {
  if (lane_ == nullptr) return;
  lane_->OnStored(answer, now, effects);
  if (effects.log_base) {
    is_whole_ = true;
    durable_ = std::max(durable_, *effects.log_base);
  }
  if (leads() && !IsBehindEpoch()) return AfterLane(now, effects);
  if (!leads()) TellHeld(effects);
}

void ReplicaCore::Tick(absl::Time now, Effects& effects) {
  if (lane_ != nullptr) lane_->Tick(now, effects);
  if (keeps_log() && lane_ != nullptr && !is_whole_ && !lane_->writes_base()) {
    WriteBase(now, effects);
    effects.WakeAt(now + kBaseAgainAfter);
  }
  if (leads()) {
    gauges_.rows_ = lane_->row_count();
    effects.WakeAt(now + kGaugeEvery);
    AnswerFollowers(now, effects);
    LookAtFollowers(now, effects);
  } else if (role_ != ReplicaRole::kNone) {
    if (fetching_.is_complete) TakeImage(now, effects);
    if (now >= retry_at_) return Fetch(now, effects);
    effects.WakeAt(retry_at_);
  }
}

void ReplicaCore::Send(NodeId target, Message message, Effects& effects) {
  effects.sends.push_back({lane_node_, target, std::move(message)});
}

void ReplicaCore::Refuse(const Envelope& event, absl::Status why, Effects& effects) {
  const std::uint64_t request = RequestOf(event.body);
  if (request == 0) return;
  Send(event.source, Acknowledgement{.request = request, .status = std::move(why), .step = 0},
       effects);
}

// --- The leader ----------------------------------------------------------------------------------

void ReplicaCore::AfterLane(absl::Time now, Effects& effects) {
  if (followers_.empty()) {  // Nobody needs them; who joins then gets an image.
    if (!effects.log.empty()) tail_.Reset(lane_->log_end());
  }
  for (LogEntry& entry : effects.log) {
    if (entry.number < tail_.end()) continue;
    auto frame = std::make_shared<std::string>();
    Encode(entry.message, *frame);
    entry.message = Acknowledgement{};  // The frame is enough, and stays with followers anyway.
    entry.frame = AsBytes(*frame);
    entry.owner = std::move(frame);
    tail_.Append(entry.frame, entry.owner, entry.time_us);
  }
  if (!keeps_log()) effects.log.clear();
  Commit(now, effects);
  AnswerFollowers(now, effects);
}

bool ReplicaCore::MayChange(const Envelope& event, Effects& effects) {
  if (hands_over_ && !IsPull(event.body)) {
    Refuse(event, absl::UnavailableError("this replica hands the lane over"), effects);
    return false;
  }
  // What followers lack is kept in memory: there is a bound.
  if (tail_.bytes() <= options_.tail_bytes_max || !IsLargeChange(event.body)) return true;
  for (const Follower& follower : followers_) {
    if (!follower.is_awaited) continue;
    const std::size_t lacks = tail_.BytesFrom(std::max(follower.held, tail_.first()));
    if (lacks <= options_.tail_bytes_max) continue;
    Refuse(event,
           absl::UnavailableError(absl::StrCat("the lane's follower '", follower.server, "' lacks ",
                                               lacks, " bytes of its log: want at most ",
                                               options_.tail_bytes_max)),
           effects);
    return false;
  }
  return true;
}

void ReplicaCore::OnFollow(NodeId source, const FollowLane& m, absl::Time now, Effects& effects) {
  LaneEntries refusal{.request = m.request, .status = {}, .epoch = epoch_, .frames = {}};
  if (!leads() || m.lane != lane_node_ || m.epoch > epoch_ || IsBehindEpoch()) {
    refusal.status = absl::UnavailableError("this replica does not lead the lane, or not yet");
    return Send(source, std::move(refusal), effects);
  }
  const auto found = std::ranges::find_if(followers_, [&](const Follower& f) {
    return f.server == m.server && f.incarnation == m.incarnation && f.place == m.place;
  });
  if (found == followers_.end()) {
    refusal.status = absl::UnavailableError(
        absl::StrCat("server '", m.server, "' does not follow this lane in epoch ", epoch_));
    return Send(source, std::move(refusal), effects);
  }
  Follower& follower = *found;
  if (m.request < follower.newest) return;  // Late.
  if (m.request == follower.newest && m.image == 0) {
    // It asks for nothing more, but holds more than when it asked.
    if (follower.image != 0 || m.held <= follower.held) return;
    NoteHeld(follower, m);
    Commit(now, effects);
    return AnswerFollowers(now, effects);
  }
  follower.newest = m.request;
  follower.source = source;
  if (m.image != 0 || !HasBeginning(m)) {
    follower.request = 0;
    follower.held = 0;
    SendImage(follower, m, effects);
    return TrimTail();
  }
  follower.image = 0;
  follower.bytes.reset();
  follower.request = m.request;
  follower.answer_by = now + kAnswerWithin;
  follower.next = m.next;
  NoteHeld(follower, m);
  Commit(now, effects);
  AnswerFollowers(now, effects);
}

void ReplicaCore::NoteHeld(Follower& follower, const FollowLane& m) const {
  // Who hears nothing of what it is sent may ask for ever: it is not waited for anew.
  const bool gets_on = m.held > follower.held || m.held == tail_.end();
  follower.held = m.held;
  if (!gets_on || m.held > tail_.end() || follower.is_reader) return;
  const std::uint64_t unheld = tail_.end() - m.held;
  const bool has_them = m.held > 0 && tail_.end() - m.next <= kAwaitedWithin;
  if (unheld <= (has_them ? kAwaitedUnsynced : kAwaitedWithin)) follower.is_awaited = true;
}

// Whether the asker's log is a beginning of this one, and what follows it is there.
bool ReplicaCore::HasBeginning(const FollowLane& m) const {
  if (m.next < tail_.first() || m.next > tail_.end() || m.held > m.next) return false;
  if (m.next == 0) return true;
  const auto epoch = std::ranges::find(epochs_, m.last_epoch, &EpochStart::epoch);
  if (epoch == epochs_.end()) return false;
  const auto next = epoch + 1;
  return m.next <= (next == epochs_.end() ? tail_.end() : next->first);
}

void ReplicaCore::SendImage(Follower& follower, const FollowLane& m, Effects& effects) {
  const std::uint32_t parts = lane_->partition_count();
  std::uint64_t offset = m.offset;
  const bool goes_on = m.image != 0 && m.image == follower.image && m.part < parts;
  if (goes_on && m.part == follower.part + 1) {
    CutPart(follower, m.part);
  } else if (!goes_on || m.part != follower.part || offset > follower.bytes->size()) {
    follower.image = (epoch_ << 32) + ++images_;
    follower.next = tail_.end();  // From the first cut on it needs all that follows.
    offset = 0;
    CutPart(follower, 0);
  }
  LaneEntries answer{.request = m.request, .status = {}, .epoch = epoch_, .frames = {}};
  answer.image = follower.image;
  answer.part = follower.part;
  answer.parts = parts;
  answer.offset = offset;
  answer.bytes = follower.bytes->size();
  const std::span<const std::byte> rest =
      AsBytes(*follower.bytes).subspan(static_cast<std::size_t>(offset));
  answer.frames.push_back(rest.first(std::min(rest.size(), options_.answer_bytes_max)));
  answer.owners.push_back(follower.bytes);
  Send(follower.source, std::move(answer), effects);
}

void ReplicaCore::CutPart(Follower& follower, std::uint32_t part) {
  follower.part = part;
  follower.bytes.reset();  // Not two of them at a time.
  std::vector<std::string> chunks;
  const LaneBase base = lane_->SavePartition(part, map_, epochs_, chunks);
  follower.bytes = std::make_shared<std::string>(EncodeLaneImagePart(base, chunks));
}

// Lets the answers go that rest on what all who count hold.
void ReplicaCore::Commit(absl::Time now, Effects& effects) {
  std::uint64_t held = Held();
  for (const Follower& follower : followers_) {
    if (follower.is_awaited) held = std::min(held, follower.held);
  }
  lane_->OnLogged(log_, held, now, effects);
  acknowledged_ = std::max(acknowledged_, held);
  const bool is_over = std::ranges::any_of(
      followers_, [&](const Follower& f) { return f.is_successor && f.held == tail_.end(); });
  if (is_over) gauges_.SetCaughtUp(lane_node_, epoch_);
  TrimTail();
}

// A follower may be cut off from here alone: the coordinator, which hears both, is told of it.
void ReplicaCore::LookAtFollowers(absl::Time now, Effects& effects) {
  StuckReplica stuck;
  for (Follower& follower : followers_) {
    if (!follower.is_awaited || follower.held == tail_.end()) {
      follower.looks = 0;
      continue;
    }
    if (now >= follower.look_at) {
      follower.look_at = now + kLookEvery;
      if (std::exchange(follower.held_then, follower.held) != follower.held) follower.looks = 0;
      ++follower.looks;
    }
    effects.WakeAt(follower.look_at);
    if (follower.looks >= kLooksMax) stuck = {{lane_node_, epoch_}, follower.incarnation};
  }
  gauges_.SetStuck(stuck);
}

void ReplicaCore::TrimTail() {
  const auto needed = [&](bool by_all) {
    std::uint64_t first = tail_.end();
    for (const Follower& f : followers_) {
      if (f.is_awaited) first = std::min(first, f.held);
      if (by_all && f.newest != 0) first = std::min(first, f.next);
    }
    return first;
  };
  tail_.Trim(needed(true), options_.tail_bytes_kept);
  // Who joins begins anew rather than to make the memory run out.
  tail_.Trim(needed(false), options_.tail_bytes_max);
}

void ReplicaCore::AnswerFollowers(absl::Time now, Effects& effects) {
  for (Follower& follower : followers_) {
    if (follower.request == 0) continue;
    const bool has_entries = tail_.end() > follower.next;
    if (!has_entries && now < follower.answer_by) {
      effects.WakeAt(follower.answer_by);
      continue;
    }
    LaneEntries answer{.request = follower.request, .status = {}, .epoch = epoch_, .frames = {}};
    answer.is_counted = follower.is_awaited && follower.held >= acknowledged_;
    answer.log_end = tail_.end();
    answer.first = follower.next;
    if (has_entries && follower.next >= tail_.first()) {
      tail_.Copy(follower.next, options_.answer_bytes_max, answer);
    }
    follower.request = 0;
    Send(follower.source, std::move(answer), effects);
  }
}

}  // namespace longtail::server
