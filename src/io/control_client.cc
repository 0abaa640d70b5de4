#include "io/control_client.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "protocol/lane_leader.h"

namespace longtail {
namespace {

constexpr absl::Duration kAskAgainAfter = absl::Milliseconds(50);

// The request that a message answers; 0 if it is no answer.
std::uint64_t Answered(const Message& message) {
  return std::visit(
      [](const auto& body) -> std::uint64_t {
        if constexpr (requires { body.status; }) {
          return body.request;
        } else {
          return 0;
        }
      },
      message);
}

absl::Status StatusOf(const Message& message) {
  return std::visit(
      [](const auto& body) {
        if constexpr (requires { body.status; }) {
          return body.status;
        } else {
          return absl::Status();
        }
      },
      message);
}

}  // namespace

void ControlClient::TakeNews(const MapReply& news) {
  if (news.request != 0) return;
  if (take_map_) take_map_(news);
  if (map_ != nullptr && news.map != nullptr) map_ = news.map;
}

std::string ControlClient::NameOf(NodeId node) const {
  if (describe_) return describe_(node);
  return absl::StrCat("lane ", static_cast<std::uint32_t>(node));
}

absl::StatusOr<std::vector<Message>> ControlClient::AskAll(const char* what,
                                                           std::span<const NodeId> nodes,
                                                           absl::Duration timeout, Make make,
                                                           absl::Duration resend_after) {
  const MutexLock lock(&mutex_);
  const absl::Time deadline = absl::Now() + timeout;
  std::vector<Envelope> events;
  // What is known of leaders when they are asked.
  transport_->Receive(absl::Now(), events);
  for (const Envelope& event : events) {
    if (const auto* const news = std::get_if<MapReply>(&event.body)) TakeNews(*news);
  }
  const std::uint64_t first = next_request_;
  next_request_ += nodes.size();
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    transport_->Send({transport_->node(), nodes[i], make(first + i)});
  }
  absl::Time resend_at = absl::Now() + resend_after;
  std::vector<absl::Time> refused_until(nodes.size(), absl::InfiniteFuture());
  std::vector<absl::Status> refusals(nodes.size());  // The last ones of each.
  const auto send_again = [&](std::size_t i) {
    refused_until[i] = absl::InfiniteFuture();
    transport_->Send({transport_->node(), nodes[i], make(first + i)});
  };
  std::vector<Message> answers(nodes.size());
  std::vector<bool> answered(nodes.size(), false);
  std::size_t missing = nodes.size();
  while (missing != 0) {
    const absl::Time now = absl::Now();
    if (now >= deadline) {
      std::size_t silent = 0;
      while (answered[silent]) ++silent;
      return absl::DeadlineExceededError(absl::StrCat(
          what, ": no answer from ", NameOf(nodes[silent]), " (", missing, " of ", nodes.size(),
          " missing) after ", absl::FormatDuration(absl::Ceil(timeout, absl::Milliseconds(1))),
          refusals[silent].ok() ? "" : "; it said last: ", refusals[silent].message()));
    }
    if (now >= resend_at) {
      resend_at = now + resend_after;
      for (std::size_t i = 0; i < nodes.size(); ++i) {
        if (!answered[i]) send_again(i);
      }
    }
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (now >= refused_until[i]) send_again(i);
    }
    events.clear();
    transport_->Receive(std::min({deadline, resend_at, *std::ranges::min_element(refused_until)}),
                        events);
    for (Envelope& event : events) {
      const auto* const news = std::get_if<MapReply>(&event.body);
      if (news != nullptr && news->request == 0) {
        const std::shared_ptr<const ClusterMap> before = map_;
        TakeNews(*news);
        for (std::size_t i = 0; before != nullptr && i < nodes.size(); ++i) {
          if (answered[i]) continue;
          if (!std::holds_alternative<SnapshotRequest>(make(first + i))) {
            send_again(i);
          } else if (HasNewLeader(*before, *map_, nodes[i])) {
            answered[i] = true;
            answers[i] = SnapshotReply{
                .request = first + i,
                .status = absl::AbortedError(absl::StrCat(
                    what, ": ", NameOf(nodes[i]),
                    " leads now, and did not before: want a checkpoint of a new name")),
                .blobs = {},
                .positions = {}};
            --missing;
          }
        }
        continue;
      }
      if (const auto* refusal = std::get_if<Acknowledgement>(&event.body);
          refusal != nullptr && refusal->request == 0 && !refusal->status.ok()) {
        return absl::InvalidArgumentError(absl::StrCat(what, ": ", NameOf(event.source),
                                                       " and this program do not understand each ",
                                                       "other: ", refusal->status.message()));
      }
      const std::uint64_t request = Answered(event.body);
      if (request < first || request - first >= nodes.size() || answered[request - first]) {
        continue;  // A late answer to a call that gave up.
      }
      if (absl::Status status = StatusOf(event.body);
          map_ != nullptr && absl::IsUnavailable(status)) {
        refused_until[request - first] = absl::Now() + kAskAgainAfter;
        refusals[request - first] = std::move(status);
        continue;
      }
      answered[request - first] = true;
      answers[request - first] = std::move(event.body);
      --missing;
    }
  }
  return answers;
}

}  // namespace longtail
