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

std::size_t PushedBytes(const Message& message) {
  const auto* push = std::get_if<std::shared_ptr<const PushRequest>>(&message);
  if (push == nullptr) return 0;
  std::size_t bytes = 0;
  for (const PushSection& section : (*push)->sections) {
    bytes +=
        section.keys.size_bytes() + section.counts.size_bytes() + section.gradients.size_bytes();
  }
  return bytes;
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
    const bool is_held = MustHold(outgoing.lane, message);
    pushed_bytes_ += PushedBytes(message);
    if (is_held) {
      ++held_;
    } else {
      effects.sends.push_back({options_.self, outgoing.lane, message});
    }
    waiting_.push_back({request, number, outgoing.lane, std::move(message),
                        is_held ? absl::InfiniteFuture() : now + options_.retry_after, is_held});
  }
  effects.WakeAt(std::min(call.deadline, now + options_.retry_after));
  open_.push_back({.number = number,
                   .call = std::move(call),
                   .step = step,
                   .unanswered = static_cast<std::uint32_t>(requests.size()),
                   .status = {}});
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
    *open = {number, options_.session, options_.rank, 0};
    return *open;
  }
  auto& close = std::get<CloseSession>(request);
  close = {number, options_.session};
  return close;
}

// A synchronous pull gives rows as they are before its step is applied. If its answer is lost it is
// sent again, and must still find them so: the end of the step waits for the answers of the pulls
// before it, and what follows it to that lane waits with it.
bool WorkerCore::MustHold(NodeId lane, const Message& message) const {
  if (options_.step_mode != StepMode::kSynchronous) return false;
  const bool ends_step = std::holds_alternative<std::shared_ptr<const BarrierRequest>>(message);
  return std::ranges::any_of(waiting_, [&](const Waiting& w) {
    return w.lane == lane && (w.is_held || (ends_step && IsPull(w.message)));
  });
}

// Sends what is held no longer, in order.
void WorkerCore::Release(absl::Time now, Effects& effects) {
  if (held_ == 0) return;
  lanes_with_pulls_.clear();
  lanes_held_.clear();
  const auto has = [](const std::vector<NodeId>& lanes, NodeId lane) {
    return std::ranges::find(lanes, lane) != lanes.end();
  };
  held_ = 0;
  for (Waiting& w : waiting_) {
    if (w.is_held) {
      const bool ends_step =
          std::holds_alternative<std::shared_ptr<const BarrierRequest>>(w.message);
      if (has(lanes_held_, w.lane) || (ends_step && has(lanes_with_pulls_, w.lane))) {
        lanes_held_.push_back(w.lane);
        ++held_;
        continue;
      }
      w.is_held = false;
      w.retry_at = now + options_.retry_after;
      effects.sends.push_back({options_.self, w.lane, w.message});
      effects.WakeAt(w.retry_at);
    }
    if (IsPull(w.message)) lanes_with_pulls_.push_back(w.lane);
  }
}

void WorkerCore::Abandon(std::uint64_t call, absl::Time now, Effects& effects) {
  Open* open = FindOpen(call);
  if (open == nullptr) return;
  if (open->call.sink != nullptr) open->call.sink->Close();
  open_.erase(open_.begin() + (open - open_.data()));
  std::erase_if(waiting_, [call](const Waiting& w) { return w.call == call && IsPull(w.message); });
  Release(now, effects);
}

void WorkerCore::AbandonPulls(absl::Time now, Effects& effects) {
  std::erase_if(open_, [](const Open& open) {
    if (open.call.sink == nullptr) return false;
    open.call.sink->Close();
    return true;
  });
  std::erase_if(waiting_, [](const Waiting& w) { return IsPull(w.message); });
  Release(now, effects);
}

void WorkerCore::Step(const Envelope& event, absl::Time now, Effects& effects) {
  if (const auto* reply = std::get_if<PullReply>(&event.body)) {
    OnAnswer(event.source, reply->request, reply->status, reply, now, effects);
  } else if (const auto* ack = std::get_if<Acknowledgement>(&event.body)) {
    if (!is_open_ && ack->status.ok()) NoteOpening(event.source, *ack, now, effects);
    OnAnswer(event.source, ack->request, ack->status, nullptr, now, effects);
  } else if (std::holds_alternative<MapReply>(event.body)) {
    SendAgain(now, effects);
  }
  // Anything else is not for a worker; a late copy of an answer finds no request below.
}

// A lane may be another process now, which never got what was sent to the one before.
void WorkerCore::SendAgain(absl::Time now, Effects& effects) {
  for (Waiting& waiting : waiting_) {
    if (waiting.is_held) continue;
    waiting.retry_at = now + options_.retry_after;
    effects.sends.push_back({options_.self, waiting.lane, waiting.message});
    effects.WakeAt(waiting.retry_at);
    ++resent_;
  }
}

// A worker that joins begins with the furthest step that any partition has reached. Partitions that
// are behind must know, or they would wait for it to end steps that it never took part in: so once
// all lanes have answered they are told, in a second round of the same call.
void WorkerCore::NoteOpening(NodeId lane, const Acknowledgement& ack, absl::Time now,
                             Effects& effects) {
  const auto found = std::ranges::find(waiting_, ack.request, &Waiting::request);
  if (found == waiting_.end() || found->lane != lane ||
      !std::holds_alternative<OpenSession>(found->message)) {
    return;
  }
  step_ = std::max(step_, ack.step);
  opened_.push_back(lane);
  if (waiting_.size() > 1) return;
  is_open_ = true;
  Open* const open = FindOpen(found->call);
  if (step_ == 0 || options_.step_mode == StepMode::kAsynchronous || open == nullptr) return;
  for (const NodeId to : opened_) {
    const OpenSession again{next_request_++, options_.session, options_.rank, step_};
    effects.sends.push_back({options_.self, to, again});
    waiting_.push_back({again.request, open->number, to, again, now + options_.retry_after});
    ++open->unanswered;
  }
  effects.WakeAt(now + options_.retry_after);
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
  pushed_bytes_ -= PushedBytes(found->message);
  waiting_.erase(found);
  Release(now, effects);
  if (open == nullptr) return;
  if (open->status.ok() && !status.ok()) open->status = status;
  if (rows != nullptr) open->applied = std::min(open->applied, rows->step);
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
    open.status = absl::DeadlineExceededError(
        absl::StrCat(open.call.kind, " of ", open.call.keys, " keys: no answer from ",
                     first == waiting_.end() ? "a lane" : NameOf(first->lane), " (",
                     open.unanswered, " unanswered) before the deadline", WaitText(open)));
    const std::uint64_t number = open.number;
    Complete(open, effects);  // Erases open_[i].
    std::erase_if(waiting_,
                  [&](const Waiting& w) { return w.call == number && IsPull(w.message); });
  }
  Release(now, effects);
  for (Waiting& waiting : waiting_) {
    if (now >= waiting.retry_at) {
      waiting.retry_at = now + options_.retry_after;
      effects.sends.push_back({options_.self, waiting.lane, waiting.message});
      ++resent_;
    }
    effects.WakeAt(waiting.retry_at);
  }
}

// Why a call may have had to wait for other workers.
std::string WorkerCore::WaitText(const Open& open) const {
  if (open.call.sink == nullptr) return "";
  switch (options_.step_mode) {
    case StepMode::kAsynchronous:
      return "";
    case StepMode::kSynchronous:
      return absl::StrCat("; in synchronous mode a pull waits for every worker's step before its ",
                          "own, ", open.step);
    case StepMode::kBoundedStaleness:
      return absl::StrCat("; in bounded mode a pull waits for every worker to come within ",
                          options_.staleness, options_.staleness == 1 ? " step" : " steps",
                          " of its own, ", open.step);
  }
  return "";
}

// A pull that is answered, by how many steps its rows may lack.
void WorkerCore::Count(const Open& open) {
  if (options_.step_mode == StepMode::kAsynchronous || !open.call.steps_ahead) return;
  const std::uint64_t used_in = open.step + *open.call.steps_ahead;
  const std::uint64_t staleness = used_in - std::min(used_in, open.applied);
  constexpr std::uint64_t kLast = WorkerStatistics::kStalenessBuckets - 1;
  ++statistics_.pulls_by_staleness[std::min(staleness, kLast)];
}

void WorkerCore::Complete(Open& open, Effects& effects) {
  if (open.call.sink != nullptr) open.call.sink->Close();
  if (open.status.ok()) Count(open);
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
