#include "cluster/coordinator_link.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/status_macros.h"
#include "protocol/coordination.h"

namespace longtail {
namespace {

constexpr absl::Duration kAskAgainAfter = absl::Milliseconds(200);
constexpr absl::Duration kLogWaitAfter = absl::Seconds(1);
constexpr absl::Duration kLogWaitEvery = absl::Seconds(5);
// One question of those that wait for the map, which look around in between.
constexpr absl::Duration kPatience = absl::Seconds(1);
constexpr absl::Duration kProbeTimeout = absl::Seconds(1);
// An answer to a heartbeat that takes longer is not coming.
constexpr absl::Duration kBeatTimeout = absl::Seconds(1);

}  // namespace

absl::StatusOr<std::unique_ptr<CoordinatorLink>> CoordinatorLink::Open(ZmqNetwork& network,
                                                                       const std::string& address,
                                                                       const Log& log) {
  std::unique_ptr<ZmqEndpoint> endpoints[2];
  for (auto& endpoint : endpoints) {
    LONGTAIL_ASSIGN_OR_RETURN(endpoint, network.Join(NodeId{1}, {}));
    LONGTAIL_RETURN_IF_ERROR(endpoint->Connect(kCoordinatorNode, address));
  }
  return std::unique_ptr<CoordinatorLink>(
      new CoordinatorLink(network, address, std::move(endpoints[0]), std::move(endpoints[1]), log));
}

CoordinatorLink::CoordinatorLink(ZmqNetwork& network, std::string address,
                                 std::unique_ptr<ZmqEndpoint> questions,
                                 std::unique_ptr<ZmqEndpoint> pulse, const Log& log)
    : network_(network),
      address_(std::move(address)),
      log_(log),
      client_(std::make_unique<ControlClient>(
          std::move(questions),
          [where = address_](NodeId) { return absl::StrCat("the coordinator at ", where); })),
      pulse_client_(std::make_unique<ControlClient>(std::move(pulse))) {}

CoordinatorLink::~CoordinatorLink() {
  StopPulse();
}

void CoordinatorLink::StopPulse() {
  stop_ = true;
  pulse_client_->transport().Wake();
  if (pulse_.joinable()) pulse_.join();
}

void CoordinatorLink::Hurry() {
  hurry_ = true;
  pulse_client_->transport().Wake();
}

std::span<const NodeId> CoordinatorLink::Coordinator() {
  static constexpr NodeId kNodes[] = {kCoordinatorNode};
  return kNodes;
}

bool CoordinatorLink::Pause(const absl::Status& status, absl::Time deadline) {
  if (!absl::IsUnavailable(status) || absl::Now() + kAskAgainAfter >= deadline) return false;
  absl::SleepFor(kAskAgainAfter);
  return true;
}

absl::Status CoordinatorLink::InWords(const char* what, absl::Duration timeout,
                                      const absl::Status& status) const {
  if (absl::IsUnavailable(status)) {
    return absl::DeadlineExceededError(absl::StrCat(what, ": after ", absl::FormatDuration(timeout),
                                                    " still: ", status.message()));
  }
  if (!absl::IsDeadlineExceeded(status)) return status;
  return absl::DeadlineExceededError(absl::StrCat(
      status.message(), "; tried to connect: ", network_.Probe(address_, kProbeTimeout)));
}

absl::StatusOr<std::shared_ptr<const ClusterMap>> CoordinatorLink::AwaitMap(
    const char* what, absl::Duration timeout, ControlClient::Make make,
    const std::stop_token& stop) {
  const absl::Time deadline = absl::Now() + timeout;
  absl::Time log_at = absl::Now() + kLogWaitAfter;
  for (;;) {
    absl::StatusOr<MapReply> reply =
        TryAsk<MapReply>(what, std::min(deadline - absl::Now(), kPatience), make);
    if (reply.ok() && reply->map != nullptr) return std::move(reply->map);
    const bool is_silent = absl::IsDeadlineExceeded(reply.status());
    if (!reply.ok() && !is_silent && !absl::IsUnavailable(reply.status())) return reply.status();
    if (stop.stop_requested()) return absl::CancelledError(absl::StrCat(what, ": given up"));
    const absl::Time now = absl::Now();
    // One who answers is not asked with less time than he may need.
    const bool is_over = now + (is_silent ? absl::ZeroDuration() : kAskAgainAfter) >= deadline;
    if (is_over || now >= log_at) {
      const std::string problem = Problem(reply.status(), reply.ok() ? reply->waits_for : "");
      if (is_over) {
        return absl::DeadlineExceededError(
            absl::StrCat(what, ": after ", absl::FormatDuration(timeout), " ", problem));
      }
      log_at = now + kLogWaitEvery;
      log_.Info("waiting", {{"reason", problem}});
    }
    if (!is_silent) absl::SleepFor(kAskAgainAfter);
  }
}

std::string CoordinatorLink::Problem(const absl::Status& status,
                                     const std::string& waits_for) const {
  const std::string coordinator = absl::StrCat("the coordinator at ", address_);
  if (status.ok()) return absl::StrCat(coordinator, " still waits for ", waits_for);
  if (absl::IsUnavailable(status)) return absl::StrCat(coordinator, " says: ", status.message());
  return absl::StrCat("no answer from ", coordinator,
                      "; tried to connect: ", network_.Probe(address_, kProbeTimeout));
}

void CoordinatorLink::StartPulse(absl::Duration period, ClusterMapHolder& map, Beat beat) {
  pulse_client_->GiveMaps([&map](const MapReply& news) { TakeMap(news, map); });
  pulse_ =
      std::thread([this, period, &map, beat = std::move(beat)] { RunPulse(period, map, beat); });
}

void CoordinatorLink::TakeMap(const MapReply& news, ClusterMapHolder& map) {
  if (news.status.ok() && news.map != nullptr) map.Replace(*news.map);
}

bool CoordinatorLink::AwaitBeat(absl::Time next, ClusterMapHolder& map) {
  std::vector<Envelope> events;
  while (!stop_ && !hurry_.exchange(false) && absl::Now() < next) {
    events.clear();
    pulse_client_->transport().Receive(next, events);
    for (const Envelope& event : events) {
      if (const auto* const news = std::get_if<MapReply>(&event.body)) TakeMap(*news, map);
    }
  }
  return !stop_;
}

void CoordinatorLink::RunPulse(absl::Duration period, ClusterMapHolder& map, const Beat& beat) {
  bool is_away = false;
  bool is_lost = false;
  for (;;) {
    if (!AwaitBeat(absl::Now() + period, map)) return;
    for (const Message& message : beat()) {
      const auto answer = pulse_client_->Ask<MapReply>(
          "heartbeat", Coordinator(), kBeatTimeout, [&](std::uint64_t request) -> Message {
            Message numbered = message;
            if (auto* const heartbeat = std::get_if<Heartbeat>(&numbered)) {
              heartbeat->request = request;
            } else if (auto* const join = std::get_if<JoinServer>(&numbered)) {
              join->request = request;
            } else if (auto* const ask = std::get_if<MapRequest>(&numbered)) {
              ask->request = request;
            }
            return numbered;
          });
      if (answer.ok()) beats_without_place_ = 0;
      if (absl::IsNotFound(answer.status())) ++beats_without_place_;
      if (answer.ok() && (*answer)[0].map != nullptr) map.Replace(*(*answer)[0].map);
      // Pulls and pushes go on without it: this is worth a line, not an error.
      const bool was_away = std::exchange(is_away, absl::IsDeadlineExceeded(answer.status()));
      if (is_away && !was_away) log_.Warning("coordinator_silent", {{"coordinator", address_}});
      if (!is_away && was_away) log_.Info("coordinator_back", {{"coordinator", address_}});
      if (is_away) continue;
      const bool was_lost = std::exchange(is_lost, !answer.ok());
      if (is_lost && !was_lost) {
        log_.Error("place_lost", {{"reason", std::string(answer.status().message())}});
      }
    }
  }
}

}  // namespace longtail
