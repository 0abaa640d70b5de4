// One replica of a lane: it leads the lane, or follows who does.
//
// The leader is the lane (lane_core.h) and keeps the newest entries of its log for the followers,
// which ask for them and apply them. What the lane answers to a change of state waits until every
// follower that counts holds that change: those that the map calls followers, and those that join
// once they lack little, so that they come to hold all that was acknowledged, too. From then on the
// coordinator may take them for followers, which it hears from them. A replica that
// cannot be brought up to date by entries gets an image (protocol/replication.h).
//
//   kFollower = holds all that was acknowledged: any of them can lead
//   kReader   = follows and answers pulls; nobody waits for it
//   a leader that was replaced acknowledges nothing: its successor, which counts, asks it no more
//
// A cluster that was rolled back is in a later epoch than its rows are. Then a leader takes the
// rows of the checkpoint first (wanted, TakeRows, EndRows), and begins a log that no other replica
// has the beginning of, so that the others get an image of it. Who leads next without that image
// takes the checkpoint's rows itself: nothing that came behind them was acknowledged yet.
//
// With a log, to hold an entry is to have it durable: so what was acknowledged is still there when
// all replicas have ended. What is replaced by an image gets a new log; a base that stands for the
// image makes that whole, and until then the replica holds nothing, and the log before it stays.
//
// Threads: not thread-safe; see io/core_loop.h. Gauges: any.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "protocol/cluster_map.h"
#include "protocol/lane_image.h"
#include "protocol/messages.h"
#include "protocol/step.h"
#include "server/epoch_gate.h"
#include "server/lane_core.h"
#include "server/lane_tail.h"
#include "server/recovered_lane.h"

namespace longtail::server {

/// What others may see of a replica while it works.
class ReplicaGauges {
 public:
  /// Its lane, with the leadership whose leader counts it; or, of the leader itself, its own, once
  /// its successor has all. Epoch 0: neither.
  LaneEpoch caught_up() const { return Unpacked(caught_up_); }
  /// Of the leader: one that it waits for in vain. Epoch 0: none.
  StuckReplica stuck() const {
    const std::uint64_t both = stuck_lane_;  // Read first, for it is written last.
    return {Unpacked(both), stuck_incarnation_};
  }
  ReplicaRole role() const { return role_; }
  /// Of a reader: at that time its leader had no more than it has. InfinitePast: never yet.
  absl::Time current_at() const {
    const std::int64_t at = current_at_;
    return at == kNever ? absl::InfinitePast() : absl::FromUnixNanos(at);
  }
  NodeId lane() const { return lane_; }
  std::uint64_t rows() const { return rows_; }  ///< If it leads, a moment ago; else 0.
  /// Of the lane, by this server while it led; see LaneCore.
  std::uint64_t rows_pulled() const { return rows_pulled_; }
  std::uint64_t rows_pushed() const { return rows_pushed_; }
  std::uint64_t images() const { return images_; }      ///< Begun to fetch.
  std::uint64_t wants() const { return wants_; }        ///< Changes of ReplicaCore::wanted.
  std::uint64_t problems() const { return problems_; }  ///< See ReplicaCore::problem.

 private:
  friend class ReplicaCore;
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::min();
  static constexpr int kEpochBits = 40;
  static constexpr std::uint64_t kEpochMask = (std::uint64_t{1} << kEpochBits) - 1;

  // Both at once: the lane of one moment with the epoch of another would be a lie.
  static std::uint64_t Packed(NodeId lane, std::uint64_t epoch) {
    return (std::uint64_t{static_cast<std::uint32_t>(lane)} << kEpochBits) | epoch;
  }
  static LaneEpoch Unpacked(std::uint64_t both) {
    return {NodeId{static_cast<std::uint32_t>(both >> kEpochBits)}, both & kEpochMask};
  }
  void SetCaughtUp(NodeId lane, std::uint64_t epoch) { caught_up_ = Packed(lane, epoch); }
  void SetStuck(const StuckReplica& stuck) {
    stuck_incarnation_ = stuck.incarnation;
    stuck_lane_ = Packed(stuck.lane.lane, stuck.lane.epoch);
  }

  std::atomic<std::uint64_t> caught_up_ = 0;
  std::atomic<std::uint64_t> stuck_lane_ = 0;
  std::atomic<std::uint64_t> stuck_incarnation_ = 0;
  std::atomic<ReplicaRole> role_ = ReplicaRole::kNone;
  std::atomic<NodeId> lane_{};
  std::atomic<std::uint64_t> rows_ = 0;
  std::atomic<std::uint64_t> rows_pulled_ = 0;
  std::atomic<std::uint64_t> rows_pushed_ = 0;
  std::atomic<std::int64_t> current_at_ = kNever;
  std::atomic<std::uint64_t> images_ = 0;
  std::atomic<std::uint64_t> wants_ = 0;
  std::atomic<std::uint64_t> problems_ = 0;
};

class ReplicaCore final : public Core {
 public:
  struct Options {
    std::string server;  ///< Where it is: as the map names it,
    std::uint64_t incarnation = 0;
    std::uint32_t seat = 0;  ///< and which of that server's places.
    /// Bytes of entries kept for replicas that join or fall behind; and, of those that followers
    /// still lack, behind which nothing is taken until they come.
    std::size_t tail_bytes_kept = std::size_t{16} << 20;
    std::size_t tail_bytes_max = std::size_t{1} << 30;
    std::size_t answer_bytes_max = std::size_t{4} << 20;  ///< Of entries or of an image, at a time.
    std::size_t key_list_bytes_max = kKeyListBytesMax;
    /// A reader that may be further behind than so answers no pull.
    absl::Duration behind_max = absl::InfiniteDuration();
    /// Of a reader: that of its server's lanes, of which this is number `seat`. Null: none.
    std::shared_ptr<EpochGate> gate{};
    LaneSnapshot::Options snapshot{};  ///< But for the tickets.
    /// Not 0: it keeps logs, which have this number, and each `log_step` above it.
    std::uint64_t first_log = 0;
    std::uint64_t log_step = 1;
    /// The server's logs were there before it began: what the first map says of this place holds,
    /// though there may be nothing, for nothing was held then.
    bool comes_back = false;
  };

  explicit ReplicaCore(Options options)
      : options_(std::move(options)),
        comes_back_(options_.comes_back),
        next_log_(options_.first_log) {}

  /// Goes on with a lane as its log left it. Before any event.
  void TakeLane(LoggedLane lane);

  /// The log that TakeLane gave it, for who writes it.
  LogBegin Log() const;

  /// Takes the place that a map gives it; an older map than it has changes nothing. As a message
  /// it is a MapReply from the coordinator.
  void OnMap(const std::shared_ptr<const ClusterMap>& map, absl::Time now, Effects& effects);

  void Step(const Envelope& event, absl::Time now, Effects& effects) override;
  void OnStored(const StoreAnswer& answer, absl::Time now, Effects& effects) override;
  void Tick(absl::Time now, Effects& effects) override;
  void OnLogged(std::uint64_t log, std::uint64_t end, absl::Time now, Effects& effects) override;

  /// Writes a base for its log. Whether it has begun; see LaneCore::WriteBase.
  bool WriteBase(absl::Time now, Effects& effects);

  /// Rows of a checkpoint that it waits for.
  struct WantedRows {
    std::uint64_t ticket = 0;
    NodeId lane{};
    std::shared_ptr<const ClusterMap>
        map;  ///< What was rolled back to, and which tables there are.

    bool operator==(const WantedRows& other) const { return ticket == other.ticket; }
  };

  /// None: it waits for none. Others than before if the ticket is another one.
  const std::optional<WantedRows>& wanted() const { return wanted_; }

  /// Takes rows of the lane's partitions, in any order; tables are the map's.
  ///
  /// Errors: Aborted if it does not wait for them any more; as LaneCore::LoadRows.
  absl::Status TakeRows(std::uint64_t ticket, const RowBlock& rows);

  /// That was all; or, with an error, it was not, and rows are wanted anew.
  void EndRows(std::uint64_t ticket, const absl::Status& status, absl::Time now, Effects& effects);

  bool leads() const { return role_ == ReplicaRole::kLeader; }
  ReplicaRole role() const { return role_; }
  NodeId lane_node() const { return lane_node_; }
  std::uint64_t epoch() const { return epoch_; }
  /// Its state; null if it has none yet.
  const LaneCore* lane() const { return lane_.get(); }
  /// What last kept it from following; empty: nothing did.
  const std::string& problem() const { return problem_; }
  const ReplicaGauges& gauges() const { return gauges_; }

 private:
  // What the leader knows of another replica.
  struct Follower {
    std::string server;
    std::uint64_t incarnation = 0;
    std::uint32_t place = 0;
    bool is_successor = false;
    bool is_reader = false;
    bool is_awaited = false;   // Nothing is acknowledged before it holds that.
    std::uint64_t held = 0;    // It has applied the entries before this one.
    std::uint64_t next = 0;    // It needs those from here on.
    std::uint64_t newest = 0;  // Of its requests.
    // How often it was looked at in vain: what it held then, and when to look again.
    std::uint32_t looks = 0;
    std::uint64_t held_then = 0;
    absl::Time look_at{};
    // The one that waits for entries; 0: none.
    std::uint64_t request = 0;
    NodeId source{};
    absl::Time answer_by{};
    // The image that it gets; 0: none.
    std::uint64_t image = 0;
    std::uint32_t part = 0;
    std::shared_ptr<const std::string> bytes{};  // Of that part.
  };
  // An image as it comes.
  struct Fetching {
    std::uint64_t image = 0;
    std::uint64_t epoch = 0;  // Of the leader whose it is.
    std::uint32_t part = 0;
    std::string bytes;                 // Of that part, so far.
    std::unique_ptr<LaneCore> lane{};  // With the parts before.
    std::vector<EpochStart> epochs{};
    bool is_complete = false;  // All parts are there: entries from the first cut on are to follow.
  };

  std::unique_ptr<LaneCore> MakeLane(bool is_empty);
  void BeginLane(Effects& effects);
  void Leave(Effects& effects);
  bool keeps_log() const { return options_.first_log != 0; }
  void BeginLog(bool is_whole, Effects& effects);
  std::uint64_t Held() const;
  void Lead(ReplicaRole was, absl::Time now, Effects& effects);
  bool IsBehindEpoch() const { return leads() && lane_->epoch() < map_->epoch; }
  void WantRows(Effects& effects);
  void WantNone();
  void MakeTables(absl::Time now, Effects& effects);
  void BeginEpoch(absl::Time now, Effects& effects);
  void TakeFollowers();
  void BeginFollowing(absl::Time now, Effects& effects);
  void Note(std::string problem);

  // The leader's.
  void AfterLane(absl::Time now, Effects& effects);
  bool MayChange(const Envelope& event, Effects& effects);
  void OnFollow(NodeId source, const FollowLane& m, absl::Time now, Effects& effects);
  void NoteHeld(Follower& follower, const FollowLane& m) const;
  void SendImage(Follower& follower, const FollowLane& m, Effects& effects);
  void CutPart(Follower& follower, std::uint32_t part);
  bool HasBeginning(const FollowLane& m) const;
  void Commit(absl::Time now, Effects& effects);
  void AnswerFollowers(absl::Time now, Effects& effects);
  void LookAtFollowers(absl::Time now, Effects& effects);
  void TrimTail();

  // A follower's.
  bool MayRead(const Envelope& event, absl::Time now, Effects& effects);
  void Fetch(absl::Time now, Effects& effects);
  void TellHeld(Effects& effects);
  void Ask(Effects& effects);
  void OnEntries(const LaneEntries& m, absl::Time now, Effects& effects);
  void OnImagePiece(const LaneEntries& m, absl::Time now, Effects& effects);
  absl::Status TakePart();
  absl::Status Apply(const LaneEntries& m, Effects& effects);
  void TakeImage(absl::Time now, Effects& effects);

  void Send(NodeId target, Message message, Effects& effects);
  void Refuse(const Envelope& event, absl::Status why, Effects& effects);

  const Options options_;
  std::shared_ptr<const ClusterMap> map_;
  ReplicaRole role_ = ReplicaRole::kNone;
  NodeId lane_node_{};
  std::uint64_t epoch_ = 0;
  std::uint64_t lanes_made_ = 0;
  std::unique_ptr<LaneCore> lane_;
  LaneTail tail_;                   // Its end is the lane's log_end.
  std::vector<EpochStart> epochs_;  // Of the log.
  std::vector<Follower> followers_;
  bool hands_over_ = false;         // One of them is to lead next: nothing is changed any more.
  std::uint64_t acknowledged_ = 0;  // Entries before this one may have been, by anybody.
  std::uint64_t images_ = 0;
  std::optional<WantedRows> wanted_;
  std::unique_ptr<LaneCore> loading_;  // With those that came.

  // Of its log, if it keeps one.
  bool comes_back_ = false;  // Until the first map.
  std::uint64_t next_log_ = 0;
  std::uint64_t cluster_ = 0;
  std::uint64_t log_ = 0;  // 0: there is none.
  bool is_whole_ = false;
  std::uint64_t durable_ = 0;  // Entries before this one are.
  std::uint64_t told_held_ = 0;

  std::uint64_t request_ = 0;  // The follower's newest; answers to others are late.
  absl::Time retry_at_ = absl::InfiniteFuture();
  absl::Time asked_at_ = absl::InfinitePast();
  Fetching fetching_;
  std::string problem_;
  ReplicaGauges gauges_;
};

}  // namespace longtail::server
