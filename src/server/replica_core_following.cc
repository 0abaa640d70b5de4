// A replica that follows: it asks its leader, applies what comes, and takes images.
#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "protocol/checksum.h"
#include "protocol/lane_image.h"
#include "protocol/lane_leader.h"
#include "protocol/snapshot_format.h"
#include "protocol/wire.h"
#include "server/replica_core.h"

namespace longtail::server {
namespace {

// A request is made again behind so long a silence; one that was refused, sooner.
constexpr absl::Duration kAskAgainAfter = absl::Milliseconds(600);
constexpr absl::Duration kRefusedAgainAfter = absl::Milliseconds(50);
// A reader looks again behind so long whether its server's other lanes have an epoch, too.
constexpr absl::Duration kShowAgainAfter = absl::Milliseconds(2);

}  // namespace

// What a reader has may be old; how old is known.
bool ReplicaCore::MayRead(const Envelope& event, absl::Time now, Effects& effects) {
  const absl::Duration behind = now - gauges_.current_at();
  if (gauges_.current_at() != absl::InfinitePast() && behind <= options_.behind_max) return true;
  const absl::Status why = absl::UnavailableError(absl::StrCat(
      "reader '", options_.server, "' has not yet all of lane ",
      static_cast<std::uint32_t>(lane_node_),
      gauges_.current_at() == absl::InfinitePast()
          ? ""
          : absl::StrCat(" of the last ", absl::FormatDuration(behind), ": want at most ",
                         absl::FormatDuration(options_.behind_max))));
  Refuse(event, why, effects);
  return false;
}

void ReplicaCore::Fetch(absl::Time now, Effects& effects) {
  asked_at_ = now;
  retry_at_ = now + kAskAgainAfter;
  effects.WakeAt(retry_at_);
  ++request_;
  Ask(effects);
}

// More of what it has is durable, which the leader waits for.
void ReplicaCore::TellHeld(Effects& effects) {
  const bool follows = !leads() && role_ != ReplicaRole::kNone && request_ != 0;
  if (follows && fetching_.image == 0 && Held() != told_held_) Ask(effects);
}

// Says what it has and, if the request is a new one, asks for what it wants.
void ReplicaCore::Ask(Effects& effects) {
  // An image is replayed beside what there was, which may be the last that has all, until it has.
  const bool is_image = fetching_.is_complete;
  const LaneCore& lane = is_image ? *fetching_.lane : *lane_;
  const std::vector<EpochStart>& epochs = is_image ? fetching_.epochs : epochs_;
  told_held_ = is_image ? 0 : Held();
  FollowLane m{.request = request_,
               .lane = lane_node_,
               .server = options_.server,
               .incarnation = options_.incarnation,
               .place = options_.seat,
               .epoch = epoch_,
               .last_epoch = epochs.empty() ? 0 : epochs.back().epoch,
               .next = lane.log_end(),
               .held = told_held_,
               .image = is_image ? 0 : fetching_.image,
               .part = fetching_.part,
               .offset = fetching_.bytes.size()};
  Send(lane_node_, std::move(m), effects);
}

void ReplicaCore::OnEntries(const LaneEntries& m, absl::Time now, Effects& effects) {
  if (leads() || role_ == ReplicaRole::kNone || m.request != request_) return;
  if (!m.status.ok() || m.epoch < epoch_) {
    retry_at_ = std::min(retry_at_, now + kRefusedAgainAfter);
    effects.WakeAt(retry_at_);
    return;
  }
  if (m.image != 0) {
    OnImagePiece(m, now, effects);
  } else if (fetching_.is_complete && m.epoch != fetching_.epoch) {
    // It has parts that were cut later: what their leader had done by then, another may not have.
    fetching_ = {};
  } else {
    if (!fetching_.is_complete) fetching_ = {};
    const absl::Status applied = Apply(m, effects);
    if (!applied.ok()) Note(std::string(applied.message()));
    if (fetching_.is_complete) TakeImage(now, effects);
    const bool has_all = applied.ok() && fetching_.image == 0 && lane_->log_end() >= m.log_end;
    if (has_all) gauges_.current_at_ = absl::ToUnixNanos(asked_at_);
    if (m.is_counted && m.epoch == epoch_) gauges_.SetCaughtUp(lane_node_, epoch_);
  }
  if (lane_->writes_base()) lane_->Tick(now, effects);
  Fetch(now, effects);
}

absl::Status ReplicaCore::Apply(const LaneEntries& m, Effects& effects) {
  std::shared_ptr<const void> owner;
  if (!m.owners.empty()) {
    owner = std::make_shared<std::vector<std::shared_ptr<const void>>>(m.owners);
  }
  const bool is_image = fetching_.is_complete;
  LaneCore& lane = is_image ? *fetching_.lane : *lane_;
  std::vector<EpochStart>& epochs = is_image ? fetching_.epochs : epochs_;
  if (m.times.size() != m.frames.size()) {
    return absl::DataLossError(absl::StrCat(m.frames.size(), " entries of the lane's log came: ",
                                            "want as many times, not ", m.times.size()));
  }
  for (std::size_t i = 0; i < m.frames.size(); ++i) {
    const std::uint64_t number = m.first + i;
    if (number != lane.log_end()) {
      return absl::DataLossError(
          absl::StrCat("entry ", number, " of the lane's log came: want ", lane.log_end()));
    }
    const std::span<const std::byte> parts[] = {m.frames[i]};
    LONGTAIL_ASSIGN_OR_RETURN(const Message message, Decode(parts, owner));
    if (const auto* begin = std::get_if<MapReply>(&message); begin != nullptr && begin->map) {
      epochs.push_back({EpochOf(*begin->map, lane_node_), number});
    }
    lane.Replay(message, m.times[i]);
    if (is_image) continue;
    tail_.Append(m.frames[i], owner, lane.time_us());
    if (!keeps_log()) continue;
    effects.log.push_back({.number = number,
                           .message = Acknowledgement{},
                           .time_us = lane.time_us(),
                           .frame = m.frames[i],
                           .owner = owner});
  }
  tail_.Trim(tail_.end(), options_.tail_bytes_kept);
  return absl::OkStatus();
}

// Once it has all up to where its last part was cut.
void ReplicaCore::TakeImage(absl::Time now, Effects& effects) {
  if (fetching_.lane->log_end() < fetching_.lane->whole_at()) return;
  const bool may_show =
      options_.gate == nullptr || options_.gate->Pass(options_.seat, fetching_.lane->epoch());
  const bool shows = gauges_.current_at() != absl::InfinitePast();
  if (!may_show && shows && fetching_.lane->epoch() != lane_->epoch()) {
    effects.WakeAt(now + kShowAgainAfter);
    return;
  }
  lane_ = std::move(fetching_.lane);
  epochs_ = std::move(fetching_.epochs);
  tail_.Reset(lane_->log_end());
  fetching_ = {};
  if (!keeps_log()) return;
  BeginLog(false, effects);
  WriteBase(now, effects);
}

void ReplicaCore::OnImagePiece(const LaneEntries& m, absl::Time now, Effects& effects) {
  if (m.epoch != fetching_.epoch) fetching_ = {};
  const bool is_next =
      m.image == fetching_.image && m.part == fetching_.part && m.offset == fetching_.bytes.size();
  if (!is_next) {
    if (m.part != 0 || m.offset != 0) return;  // Late: the next answer is what was asked for.
    fetching_ = {
        .image = m.image, .epoch = m.epoch, .part = 0, .bytes = {}, .lane = MakeLane(false)};
    ++gauges_.images_;
  }
  for (const auto& frame : m.frames) fetching_.bytes.append(AsText(frame));
  if (fetching_.bytes.size() < m.bytes) return;
  const absl::Status taken = TakePart();
  if (!taken.ok()) {
    Note(std::string(taken.message()));
    fetching_ = {};
    return;
  }
  fetching_.bytes.clear();
  fetching_.is_complete = ++fetching_.part == m.parts;
  if (fetching_.is_complete) TakeImage(now, effects);
}

// A whole part has come.
absl::Status ReplicaCore::TakePart() {
  LONGTAIL_ASSIGN_OR_RETURN(
      const LaneImagePart part,
      DecodeLaneImagePart(absl::StrCat("part ", fetching_.part, " of the lane's image"),
                          AsBytes(fetching_.bytes)));
  if (part.base.map.epoch != fetching_.lane->epoch()) {
    return absl::UnavailableError(absl::StrCat("the lane's image is of epoch ", part.base.map.epoch,
                                               " of the cluster: its map is of ",
                                               fetching_.lane->epoch()));
  }
  if (fetching_.part == 0) fetching_.epochs = part.base.epochs;
  return fetching_.lane->RestorePartition(
      part.base, [&](absl::FunctionRef<absl::Status(const RowBlock& rows)> take) -> absl::Status {
        SnapshotReader reader;
        for (std::size_t i = 0; i < part.chunks.size(); ++i) {
          const SnapshotBlob& blob = part.base.blobs[i];
          if (Checksum(part.chunks[i]) != blob.checksum) {
            return absl::DataLossError(
                absl::StrCat("'", blob.name, "' of the lane's image: ", "damaged (checksum)"));
          }
          LONGTAIL_RETURN_IF_ERROR(reader.Read(blob.name, part.chunks[i]));
          for (const SnapshotTable& table : reader.chunk().tables) {
            LONGTAIL_RETURN_IF_ERROR(take(table.rows));
          }
        }
        return absl::OkStatus();
      });
}

}  // namespace longtail::server
