// Closes the sessions of workers that died, as whoever finds out would do: tells every lane until
// it has answered.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "protocol/step.h"

namespace longtail::sim {

class SimCloser {
 public:
  SimCloser(NodeId self, const std::vector<NodeId>& lanes) : self_(self), lanes_(lanes) {}

  /// Told `at` that the worker of a session is dead, it begins then.
  void CloseAt(absl::Time at, SessionId session) { closings_[session] = {.at = at}; }

  bool has_begun(SessionId session) const {
    const auto found = closings_.find(session);
    return found != closings_.end() && found->second.has_begun;
  }
  bool is_done(SessionId session) const {
    const auto found = closings_.find(session);
    return found != closings_.end() && found->second.answered.size() == lanes_.size();
  }

  /// When it wants to send; never, if all is done.
  absl::Time next() const {
    absl::Time next = absl::InfiniteFuture();
    for (const auto& [session, closing] : closings_) {
      if (closing.answered.size() < lanes_.size()) next = std::min(next, closing.at);
    }
    return next;
  }

  void Tick(absl::Time now, Effects& effects) {
    for (auto& [session, closing] : closings_) {
      if (now < closing.at) continue;
      closing.has_begun = true;
      closing.at = now + absl::Milliseconds(50);
      for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
        if (closing.answered.contains(lanes_[lane])) continue;
        effects.sends.push_back(
            {self_, lanes_[lane], CloseSession{static_cast<std::uint64_t>(session), session}});
      }
    }
  }

  void Step(const Envelope& event) {
    const auto* ack = std::get_if<Acknowledgement>(&event.body);
    if (ack != nullptr && ack->status.ok()) {  // Else another leads the lane now.
      closings_[SessionId{ack->request}].answered[event.source] = true;
    }
  }

 private:
  struct Closing {
    absl::Time at;
    bool has_begun = false;
    std::map<NodeId, bool> answered{};
  };

  const NodeId self_;
  const std::vector<NodeId>& lanes_;
  std::map<SessionId, Closing> closings_;
};

}  // namespace longtail::sim
