#include "worker/worker_core.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "worker/place_rows.h"

namespace longtail {
namespace {

bool IsPull(const Message& message) {
  return std::holds_alternative<std::shared_ptr<const PullRequest>>(message);
}

}  // namespace

WorkerCore::WorkerCore(const Options& options)
    : options_(options), next_sequence_(options.partition_count, 0) {}

std::uint64_t WorkerCore::Submit(Call call, std::span<Outgoing> requests, absl::Time now,
                                 Effects& effects) {
  const std::uint64_t number = next_call_++;
  if (waiting_.size() + requests.size() > kOutstandingRequestsMax) {
    if (call.sink != nullptr) call.sink->Close();
    effects.completions.push_back(
        {number, absl::ResourceExhaustedError(
                     absl::StrCat(call.kind, " of ", call.keys, " keys: ", waiting_.size(),
                                  " requests of this worker are unanswered: want at most ",
                                  kOutstandingRequestsMax, "; wait for earlier calls"))});
    return number;
  }
  const std::uint64_t step = step_;
  if (call.ends_step) ++step_;
  if (requests.empty()) {
    effects.completions.push_back({number, absl::OkStatus()});
    return number;
  }
  for (Outgoing& outgoing : requests) {
    const std::uint64_t request = next_request_++;
    Message message = Prepare(outgoing.request, request, step);
    effects.sends.push_back({options_.self, outgoing.lane, message});
    waiting_.push_back(
        {request, number, outgoing.lane, std::move(message), now + options_.retry_after});
  }
  effects.WakeAt(std::min(call.deadline, now + options_.retry_after));
  open_.push_back({number, std::move(call), static_cast<std::uint32_t>(requests.size()), {}});
  return number;
}

Message WorkerCore::Prepare(Request& request, std::uint64_t number, std::uint64_t step) {
  if (auto* pull = std::get_if<std::shared_ptr<PullRequest>>(&request)) {
    (*pull)->request = number;
    (*pull)->step = step;
    return std::shared_ptr<const PullRequest>(std::move(*pull));
  }
  if (auto* push = std::get_if<std::shared_ptr<PushRequest>>(&request)) {
    (*push)->session = options_.session;
    (*push)->request = number;
    (*push)->step = step;
    auto& sections = (*push)->sections;
    for (std::size_t i = 0; i < sections.size(); ++i) {
      const auto partition = static_cast<std::size_t>(sections[i].partition);
      const bool is_same_op = i > 0 && sections[i - 1].partition == sections[i].partition;
      sections[i].sequence = is_same_op ? sections[i - 1].sequence : next_sequence_[partition]++;
    }
    return std::shared_ptr<const PushRequest>(std::move(*push));
  }
  if (auto* barrier = std::get_if<std::shared_ptr<BarrierRequest>>(&request)) {
    (*barrier)->session = options_.session;
    (*barrier)->request = number;
    (*barrier)->step = step;
    for (BarrierSection& section : (*barrier)->sections) {
      section.sequence = next_sequence_[static_cast<std::size_t>(section.partition)]++;
    }
    return std::shared_ptr<const BarrierRequest>(std::move(*barrier));
  }
  if (auto* open = std::get_if<OpenSession>(&request)) {
    *open = {number, options_.session, options_.rank};
    return *open;
  }
  auto& close = std::get<CloseSession>(request);
  close = {number, options_.session};
  return close;
}

void WorkerCore::Abandon(std::uint64_t call) {
  Open* open = FindOpen(call);
  if (open == nullptr) return;
  if (open->call.sink != nullptr) open->call.sink->Close();
  open_.erase(open_.begin() + (open - open_.data()));
  std::erase_if(waiting_, [call](const Waiting& w) { return w.call == call && IsPull(w.message); });
}

void WorkerCore::AbandonPulls() {
  std::erase_if(open_, [](const Open& open) {
    if (open.call.sink == nullptr) return false;
    open.call.sink->Close();
    return true;
  });
  std::erase_if(waiting_, [](const Waiting& w) { return IsPull(w.message); });
}

void WorkerCore::Step(const Envelope& event, absl::Time now, Effects& effects) {
  if (const auto* reply = std::get_if<PullReply>(&event.body)) {
    OnAnswer(event.source, reply->request, reply->status, reply, now, effects);
  } else if (const auto* ack = std::get_if<Acknowledgement>(&event.body)) {
    const std::size_t before = waiting_.size();
    OnAnswer(event.source, ack->request, ack->status, nullptr, now, effects);
    if (!is_open_ && waiting_.size() != before) {  // The answer to an OpenSession.
      step_ = std::max(step_, ack->step);
      is_open_ = waiting_.empty();
    }
  }
  // Anything else is not for a worker; a late copy of an answer finds no request below.
}

void WorkerCore::OnStored(const StoreAnswer&, absl::Time, Effects&) {}

void WorkerCore::OnAnswer(NodeId lane, std::uint64_t request, const absl::Status& status,
                          const PullReply* rows, absl::Time now, Effects& effects) {
  const auto found =
      std::lower_bound(waiting_.begin(), waiting_.end(), request,
                       [](const Waiting& w, std::uint64_t want) { return w.request < want; });
  if (found == waiting_.end() || found->request != request || found->lane != lane) return;
  if (status.code() == absl::StatusCode::kUnavailable) {
    // The lane could not take it now (a gap before it, say). Its turn comes with the next tick.
    found->retry_at = std::min(found->retry_at, now + kRetryRefusedAfter);
    effects.WakeAt(found->retry_at);
    return;
  }
  Open* const open = FindOpen(found->call);
  if (rows != nullptr && !rows->values.empty() && open != nullptr) {
    if (const auto* pull = std::get_if<std::shared_ptr<const PullRequest>>(&found->message)) {
      const absl::Status placed = PlaceRows(*rows, **pull);
      if (open->status.ok()) open->status = placed;
    }
  }
  waiting_.erase(found);
  if (open == nullptr) return;
  if (open->status.ok() && !status.ok()) open->status = status;
  if (--open->unanswered == 0) Complete(*open, effects);
}

void WorkerCore::Tick(absl::Time now, Effects& effects) {
  for (std::size_t i = 0; i < open_.size();) {
    Open& open = open_[i];
    if (now < open.call.deadline) {
      effects.WakeAt(open.call.deadline);
      ++i;
      continue;
    }
    const auto first = std::find_if(waiting_.begin(), waiting_.end(),
                                    [&](const Waiting& w) { return w.call == open.number; });
    open.status = absl::DeadlineExceededError(absl::StrCat(
        open.call.kind, " of ", open.call.keys, " keys: no answer from ",
        first == waiting_.end() ? "a lane" : NameOf(first->lane), " (", open.unanswered,
        " unanswered) before the deadline",
        open.call.sink != nullptr ? "; in synchronous mode a pull waits for every worker's step"
                                  : ""));
    const std::uint64_t number = open.number;
    Complete(open, effects);  // Erases open_[i].
    std::erase_if(waiting_,
                  [&](const Waiting& w) { return w.call == number && IsPull(w.message); });
  }
  for (Waiting& waiting : waiting_) {
    if (now >= waiting.retry_at) {
      waiting.retry_at = now + options_.retry_after;
      effects.sends.push_back({options_.self, waiting.lane, waiting.message});
      ++resent_;
    }
    effects.WakeAt(waiting.retry_at);
  }
}

void WorkerCore::Complete(Open& open, Effects& effects) {
  if (open.call.sink != nullptr) open.call.sink->Close();
  effects.completions.push_back({open.number, std::move(open.status)});
  open_.erase(open_.begin() + (&open - open_.data()));
}

std::string WorkerCore::NameOf(NodeId lane) const {
  if (options_.describe) return options_.describe(lane);
  return absl::StrCat("lane ", static_cast<std::uint32_t>(lane));
}

WorkerCore::Open* WorkerCore::FindOpen(std::uint64_t call) {
  const auto found =
      std::lower_bound(open_.begin(), open_.end(), call,
                       [](const Open& open, std::uint64_t want) { return open.number < want; });
  return found == open_.end() || found->number != call ? nullptr : &*found;
}

}  // namespace longtail
