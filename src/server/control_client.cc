#include "server/control_client.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace longtail::server {
namespace {

// The request that a message answers; 0 if it is no answer.
std::uint64_t Answered(const Message& message) {
  if (const auto* ack = std::get_if<Acknowledgement>(&message)) return ack->request;
  if (const auto* reply = std::get_if<StatisticsReply>(&message)) return reply->request;
  if (const auto* reply = std::get_if<SnapshotReply>(&message)) return reply->request;
  return 0;
}

}  // namespace

absl::StatusOr<std::vector<Message>> ControlClient::AskAll(const char* what,
                                                           std::span<const NodeId> lanes,
                                                           absl::Duration timeout, Make make) {
  const MutexLock lock(&mutex_);
  const absl::Time deadline = absl::Now() + timeout;
  const std::uint64_t first = next_request_;
  next_request_ += lanes.size();
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    transport_->Send({transport_->node(), lanes[i], make(first + i)});
  }
  std::vector<Message> answers(lanes.size());
  std::vector<bool> answered(lanes.size(), false);
  std::size_t missing = lanes.size();
  std::vector<Envelope> events;
  while (missing != 0) {
    if (absl::Now() >= deadline) {
      std::size_t silent = 0;
      while (answered[silent]) ++silent;
      return absl::DeadlineExceededError(absl::StrCat(
          what, ": no answer from lane ", static_cast<std::uint32_t>(lanes[silent]), " (", missing,
          " of ", lanes.size(), " missing) after ", absl::FormatDuration(timeout)));
    }
    events.clear();
    transport_->Receive(deadline, events);
    for (Envelope& event : events) {
      const std::uint64_t request = Answered(event.body);
      if (request < first || request - first >= lanes.size() || answered[request - first]) {
        continue;  // A late answer to a call that gave up.
      }
      answered[request - first] = true;
      answers[request - first] = std::move(event.body);
      --missing;
    }
  }
  return answers;
}

}  // namespace longtail::server
