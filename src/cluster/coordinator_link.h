// A process's line to the coordinator: questions with a deadline, and a pulse that keeps its places
// and brings newer maps.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/log.h"
#include "base/mutex.h"
#include "io/cluster_map_holder.h"
#include "io/control_client.h"
#include "io/zmq_network.h"

namespace longtail {

/// Thread: any. Owns one thread.
class CoordinatorLink {
 public:
  /// `network` must outlive it. `address` as ZmqEndpoint::Connect takes it.
  static absl::StatusOr<std::unique_ptr<CoordinatorLink>> Open(ZmqNetwork& network,
                                                               const std::string& address,
                                                               const Log& log);
  ~CoordinatorLink();

  /// Asks until there is an answer that is not Unavailable, which the coordinator says while it
  /// waits for others.
  ///
  /// Errors: DeadlineExceeded naming `what`, the coordinator, what a connection to it says, or
  ///         whom the coordinator waits for; what it refuses with.
  template <typename Reply>
  absl::StatusOr<Reply> Ask(const char* what, absl::Duration timeout, ControlClient::Make make) {
    absl::StatusOr<Reply> reply = TryAsk<Reply>(what, timeout, make);
    if (!reply.ok()) return InWords(what, timeout, reply.status());
    return reply;
  }

  /// Waits for the map, asking with `make` (MapRequest, or JoinServer). Logs whom it waits for, or
  /// why nobody answers.
  ///
  /// Errors: as Ask; Cancelled, soon after `stop` is requested.
  absl::StatusOr<std::shared_ptr<const ClusterMap>> AwaitMap(const char* what,
                                                             absl::Duration timeout,
                                                             ControlClient::Make make,
                                                             const std::stop_token& stop = {});

  using Beat = std::function<std::vector<Message>()>;

  /// From now on sends what `beat` gives (Heartbeats, or questions that a MapReply answers; their
  /// request numbers are filled in) every
  /// `period`, and whenever Hurry is called; and puts newer maps, asked for or not, into `map`,
  /// which must outlive the link.
  void StartPulse(absl::Duration period, ClusterMapHolder& map, Beat beat);

  /// How many pulses in a row were answered with NotFound: the coordinator has no place for who
  /// sends them.
  std::uint32_t beats_without_place() const { return beats_without_place_; }

  /// Ends what StartPulse began; Hurry may still be called.
  void StopPulse();

  /// There is something to say that others wait for. Never blocks.
  void Hurry();

  const std::string& address() const { return address_; }

 private:
  CoordinatorLink(ZmqNetwork& network, std::string address, std::unique_ptr<ZmqEndpoint> questions,
                  std::unique_ptr<ZmqEndpoint> pulse, const Log& log);

  // As Ask, with errors in the words of those who gave them.
  template <typename Reply>
  absl::StatusOr<Reply> TryAsk(const char* what, absl::Duration timeout, ControlClient::Make make) {
    const absl::Time deadline = absl::Now() + timeout;
    for (;;) {
      auto replies =
          client_->Ask<Reply>(what, Coordinator(), deadline - absl::Now(), make, absl::Seconds(1));
      if (replies.ok()) return std::move((*replies)[0]);
      if (!Pause(replies.status(), deadline)) return replies.status();
    }
  }

  static std::span<const NodeId> Coordinator();
  static bool Pause(const absl::Status& status, absl::Time deadline);
  // What keeps the map away: an answer without one, or none.
  std::string Problem(const absl::Status& status, const std::string& waits_for) const;
  absl::Status InWords(const char* what, absl::Duration timeout, const absl::Status& status) const;
  void RunPulse(absl::Duration period, ClusterMapHolder& map, const Beat& beat);
  static void TakeMap(const MapReply& news, ClusterMapHolder& map);
  // Takes maps until it is time for the next beat. False: it is time to end.
  bool AwaitBeat(absl::Time next, ClusterMapHolder& map);

  ZmqNetwork& network_;
  const std::string address_;
  const Log log_;
  const std::unique_ptr<ControlClient> client_;
  const std::unique_ptr<ControlClient> pulse_client_;  // So that no question holds up the pulse.
  std::atomic<bool> stop_ = false;
  std::atomic<bool> hurry_ = false;
  std::atomic<std::uint32_t> beats_without_place_ = 0;
  std::thread pulse_;
};

}  // namespace longtail
