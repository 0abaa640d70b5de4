// A network in one process and in virtual time that loses, repeats, delays and reorders what it
// carries, cuts links for a while, one way or both, and has nodes that stand still for a while.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "base/random.h"
#include "protocol/messages.h"

namespace longtail::sim {

/// Chances in percent, each drawn once a message.
struct Faults {
  unsigned loss_percent = 0;
  unsigned repeat_percent = 0;
  unsigned delay_percent = 0;  ///< Of being late by up to 400 ms.
  unsigned cut_percent = 0;    ///< Of cutting its link, one way, for up to 300 ms.
  unsigned part_percent = 0;   ///< Of cutting its link both ways, for up to 300 ms.
  unsigned stall_percent = 0;  ///< Of its target standing still for up to 200 ms: nothing that is
                               ///< sent to it meanwhile arrives before.
  bool reorders = false;       ///< Else what arrives on one link arrives in order.
};

/// Same seed and same calls, same deliveries.
class SimNetwork {
 public:
  SimNetwork(const Faults& faults, std::uint64_t seed) : faults_(faults), rng_(seed) {}

  void Send(Envelope message, absl::Time now) {
    const Link link{message.source, message.target};
    if (Happens(faults_.cut_percent)) {
      cut_until_[link] = now + absl::Milliseconds(rng_.Below(300));
    }
    if (Happens(faults_.part_percent)) {
      const absl::Time until = now + absl::Milliseconds(rng_.Below(300));
      cut_until_[link] = until;
      cut_until_[Link{message.target, message.source}] = until;
    }
    if (Happens(faults_.stall_percent)) {
      stalled_until_[message.target] = now + absl::Milliseconds(rng_.Below(200));
    }
    if (const auto cut = cut_until_.find(link); cut != cut_until_.end() && now < cut->second) {
      return;
    }
    if (Happens(faults_.loss_percent)) return;
    if (Happens(faults_.repeat_percent)) Put(link, message, now);
    Put(link, std::move(message), now);
  }

  /// When the next message arrives; never, if none is under way.
  absl::Time next() const {
    return in_flight_.empty() ? absl::InfiniteFuture() : in_flight_.begin()->first.first;
  }

  /// Takes the message that arrives next. Needs one to be under way.
  Envelope Deliver() {
    Envelope message = std::move(in_flight_.begin()->second);
    in_flight_.erase(in_flight_.begin());
    return message;
  }

  /// No new fault from here on; links that are cut and nodes that stand still do so until their
  /// time has come.
  void StopFaults() { faults_ = {}; }

  /// No fault from here on; what is under way still is as late as it is.
  void Heal() {
    StopFaults();
    cut_until_.clear();
    stalled_until_.clear();
  }

 private:
  using Link = std::pair<NodeId, NodeId>;

  bool Happens(unsigned percent) { return rng_.Below(100) < percent; }

  void Put(const Link& link, Envelope message, absl::Time now) {
    absl::Time at = now + absl::Microseconds(100 + rng_.Below(1000));
    if (Happens(faults_.delay_percent)) at += absl::Milliseconds(rng_.Below(400));
    if (const auto stalled = stalled_until_.find(link.second); stalled != stalled_until_.end()) {
      at = std::max(at, stalled->second);
    }
    if (!faults_.reorders) {
      auto& last = last_on_.try_emplace(link, absl::InfinitePast()).first->second;
      at = last = std::max(at, last);
    }
    in_flight_.emplace(std::pair(at, number_++), std::move(message));
  }

  Faults faults_;
  Rng rng_;
  std::uint64_t number_ = 0;
  std::map<std::pair<absl::Time, std::uint64_t>, Envelope> in_flight_;  // By arrival, then number.
  std::map<Link, absl::Time> last_on_;
  std::map<Link, absl::Time> cut_until_;
  std::map<NodeId, absl::Time> stalled_until_;
};

}  // namespace longtail::sim
