#include "worker/worker_core.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "protocol/wire_size.h"
#include "worker/place_rows.h"

namespace longtail {
namespace {

template <typename T>
bool Is(const Message& message) {
  return std::holds_alternative<T>(message);
}

// Whether its rows came with it; else they are where they are to be.
bool HasRows(const PullReply& reply) {
  return !reply.values.empty() || !reply.packed.empty();
}

std::size_t PushedBytes(const Message& message) {
  if (const auto* compact = std::get_if<std::shared_ptr<const CompactPush>>(&message)) {
    const CompactPush& push = **compact;
    return push.keys.plain.size_bytes() + push.keys.digests.size_bytes() + push.keys.deltas.size() +
           push.counts.size() + push.gradients.size();
  }
  const auto* push = std::get_if<std::shared_ptr<const PushRequest>>(&message);
  if (push == nullptr) return 0;
  std::size_t bytes = 0;
  for (const PushSection& section : (*push)->sections) {
    bytes += section.keys.size_bytes() + section.counts.size_bytes() +
             section.gradients.size_bytes() + section.packed.size_bytes();
  }
  return bytes;
}

}  // namespace

WorkerCore::WorkerCore(const Options& options)
    : options_(options), builder_(options.compact), next_sequence_(options.partition_count, 0) {}

WorkerStatistics WorkerCore::statistics() const {
  WorkerStatistics statistics = statistics_;
  statistics.key_lists_named = builder_.lists_named();
  statistics.feedback_dropped = builder_.feedback().dropped();
  statistics.unanswered_requests = outstanding();
  statistics.unacknowledged_bytes = pushed_bytes();
  return statistics;
}

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
    if (call.applied) Count(call, step, *call.applied);
    effects.completions.push_back({number, absl::OkStatus()});
    return number;
  }
  for (Outgoing& outgoing : requests) {
    const std::uint64_t request = next_request_++;
    Waiting next{.request = request,
                 .call = number,
                 .lane = outgoing.lane,
                 .message = Prepare(outgoing.request, request, step),
                 .pull = nullptr,
                 .retry_at = now + options_.retry_after};
    Compact(next);
    pushed_bytes_ += PushedBytes(next.message);
    next.is_held = MustHold(next);
    if (next.is_held) {
      ++held_;
      next.retry_at = absl::InfiniteFuture();
    } else {
      Send(next, effects);
    }
    waiting_.push_back(std::move(next));
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
    *open = {number, options_.session, options_.rank, 0, options_.epoch};
    return *open;
  }
  auto& close = std::get<CloseSession>(request);
  close = {number, options_.session};
  return close;
}

// Puts a request's message into the form in which it travels.
void WorkerCore::Compact(Waiting& waiting) {
  if (const auto* pull = std::get_if<std::shared_ptr<const PullRequest>>(&waiting.message)) {
    waiting.pull = *pull;
    if (waiting.pull->compact) waiting.message = builder_.Build(waiting.lane, *waiting.pull);
  } else if (const auto* push = std::get_if<std::shared_ptr<const PushRequest>>(&waiting.message)) {
    if ((*push)->compact) waiting.message = builder_.Build(waiting.lane, **push);
  }
}

void WorkerCore::Send(const Waiting& waiting, Effects& effects) {
  if (options_.counts_bytes) {
    const WireSize size = SizeOnWire(waiting.message);
    statistics_.bytes_sent += size.bytes;
    statistics_.key_bytes_sent += size.keys;
    statistics_.value_bytes_sent += size.values;
  }
  effects.sends.push_back({options_.self, waiting.lane, waiting.message});
}

// A synchronous pull gives rows as they are before its step is applied. If its answer is lost it is
// sent again, and must still find them so: the end of the step waits for the answers of the pulls
// before it, and what follows it to that lane waits with it.
bool WorkerCore::MustHold(const Waiting& next) const {
  if (options_.step_mode != StepMode::kSynchronous) return false;
  const bool ends_step = Is<std::shared_ptr<const BarrierRequest>>(next.message);
  return std::ranges::any_of(waiting_, [&](const Waiting& w) {
    return w.lane == next.lane && (w.is_held || (ends_step && w.pull != nullptr));
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
      const bool ends_step = Is<std::shared_ptr<const BarrierRequest>>(w.message);
      if (has(lanes_held_, w.lane) || (ends_step && has(lanes_with_pulls_, w.lane))) {
        lanes_held_.push_back(w.lane);
        ++held_;
        continue;
      }
      w.is_held = false;
      w.retry_at = now + options_.retry_after;
      Send(w, effects);
      effects.WakeAt(w.retry_at);
    }
    if (w.pull != nullptr) lanes_with_pulls_.push_back(w.lane);
  }
}

void WorkerCore::Abandon(std::uint64_t call, absl::Time now, Effects& effects) {
  Open* open = FindOpen(call);
  if (open == nullptr) return;
  if (open->call.sink != nullptr) open->call.sink->Close();
  open_.erase(open_.begin() + (open - open_.data()));
  std::erase_if(waiting_, [call](const Waiting& w) { return w.call == call && w.pull != nullptr; });
  Release(now, effects);
}

void WorkerCore::AbandonPulls(absl::Time now, Effects& effects) {
  std::erase_if(open_, [](const Open& open) {
    if (open.call.sink == nullptr) return false;
    open.call.sink->Close();
    return true;
  });
  std::erase_if(waiting_, [](const Waiting& w) { return w.pull != nullptr; });
  Release(now, effects);
}

void WorkerCore::Step(const Envelope& event, absl::Time now, Effects& effects) {
  if (options_.counts_bytes) {
    const WireSize size = SizeOnWire(event.body);
    statistics_.bytes_received += size.bytes;
    statistics_.value_bytes_received += size.values;
  }
  if (const auto* reply = std::get_if<PullReply>(&event.body)) {
    OnAnswer(event.source, reply->request, reply->status, reply, now, effects);
  } else if (const auto* rows = std::get_if<CompactPullReply>(&event.body)) {
    OnAnswer(event.source, rows->request, absl::OkStatus(), rows, now, effects);
  } else if (const auto* wanted = std::get_if<KeysWanted>(&event.body)) {
    OnKeysWanted(event.source, wanted->request, now, effects);
  } else if (const auto* ack = std::get_if<Acknowledgement>(&event.body)) {
    if (!is_open_ && ack->status.ok()) NoteOpening(event.source, *ack, now, effects);
    OnAnswer(event.source, ack->request, ack->status, {}, now, effects);
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
    Send(waiting, effects);
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
  if (found == waiting_.end() || found->lane != lane || !Is<OpenSession>(found->message)) {
    return;
  }
  step_ = std::max(step_, ack.step);
  opened_.push_back(lane);
  if (waiting_.size() > 1) return;
  is_open_ = true;
  Open* const open = FindOpen(found->call);
  if (step_ == 0 || options_.step_mode == StepMode::kAsynchronous || open == nullptr) return;
  for (const NodeId to : opened_) {
    const OpenSession again{next_request_++, options_.session, options_.rank, step_,
                            options_.epoch};
    waiting_.push_back({.request = again.request,
                        .call = open->number,
                        .lane = to,
                        .message = again,
                        .pull = nullptr,
                        .retry_at = now + options_.retry_after});
    Send(waiting_.back(), effects);
    ++open->unanswered;
  }
  effects.WakeAt(now + options_.retry_after);
}

void WorkerCore::OnStored(const StoreAnswer&, absl::Time, Effects&) {}

WorkerCore::Waiting* WorkerCore::FindWaiting(NodeId lane, std::uint64_t request) {
  const auto found =
      std::lower_bound(waiting_.begin(), waiting_.end(), request,
                       [](const Waiting& w, std::uint64_t want) { return w.request < want; });
  if (found == waiting_.end() || found->request != request || found->lane != lane) return nullptr;
  return &*found;
}

void WorkerCore::OnAnswer(NodeId lane, std::uint64_t request, const absl::Status& status,
                          const Rows& rows, absl::Time now, Effects& effects) {
  Waiting* const found = FindWaiting(lane, request);
  if (found == nullptr) return;
  if (status.code() == absl::StatusCode::kUnavailable) {
    // The lane could not take it now (a gap before it, say). Its turn comes with the next tick.
    found->retry_at = std::min(found->retry_at, now + kRetryRefusedAfter);
    effects.WakeAt(found->retry_at);
    return;
  }
  Open* const open = FindOpen(found->call);
  const auto* const plain = std::get_if<const PullReply*>(&rows);
  const auto* const compact = std::get_if<const CompactPullReply*>(&rows);
  if (options_.is_reader && open != nullptr && status.ok()) {
    const std::uint64_t epoch = compact != nullptr ? (*compact)->epoch
                                : plain != nullptr ? (*plain)->epoch
                                                   : 0;
    if (!IsOfOneEpoch(*open, epoch, *found, now, effects)) return;
  }
  if (open != nullptr && found->pull != nullptr) {
    absl::Status placed;
    if (plain != nullptr && HasRows(**plain)) placed = PlaceRows(**plain, *found->pull);
    if (compact != nullptr) placed = PlaceRows(**compact, *found->pull);
    if (open->status.ok()) open->status = std::move(placed);
  }
  pushed_bytes_ -= PushedBytes(found->message);
  waiting_.erase(waiting_.begin() + (found - waiting_.data()));
  Release(now, effects);
  if (open == nullptr) return;
  if (open->status.ok() && !status.ok()) open->status = status;
  if (plain != nullptr) open->applied = std::min(open->applied, (*plain)->step);
  if (compact != nullptr) open->applied = std::min(open->applied, (*compact)->step);
  if (--open->unanswered == 0) Complete(*open, effects);
}

// While a rollback is under way some lanes show rows from before it, and others rows from behind
// it. A pull that got some of both is made again as a whole.
bool WorkerCore::IsOfOneEpoch(Open& open, std::uint64_t epoch, const Waiting& found, absl::Time now,
                              Effects& effects) {
  if (open.answered.empty() || open.epoch == epoch) {
    open.epoch = epoch;
    open.answered.push_back(found);
    return true;
  }
  const std::uint64_t call = open.number;
  std::vector<Waiting> again = std::move(open.answered);
  open.answered.clear();
  for (const Waiting& waiting : waiting_) {
    if (waiting.call == call) again.push_back(waiting);
  }
  std::erase_if(waiting_, [&](const Waiting& w) { return w.call == call; });
  for (Waiting& waiting : again) {
    // Under a new number, so that answers to the old one are late.
    auto pull = std::make_shared<PullRequest>(*waiting.pull);
    pull->request = waiting.request = next_request_++;
    waiting.message = std::shared_ptr<const PullRequest>(std::move(pull));
    waiting.retry_at = now + kRetryRefusedAfter;
    Compact(waiting);
    effects.WakeAt(waiting.retry_at);
    waiting_.push_back(std::move(waiting));
  }
  open.unanswered = static_cast<std::uint32_t>(again.size());
  open.applied = std::numeric_limits<std::uint64_t>::max();
  open.status = absl::OkStatus();
  ++resent_;
  return false;
}

// The lane lacks a list of keys that it was sent, or has yet to get it.
void WorkerCore::OnKeysWanted(NodeId lane, std::uint64_t request, absl::Time now,
                              Effects& effects) {
  Waiting* const found = FindWaiting(lane, request);
  if (found == nullptr) return;
  const std::size_t bytes_before = PushedBytes(found->message);
  if (const auto* pull = std::get_if<std::shared_ptr<const CompactPull>>(&found->message)) {
    std::shared_ptr<const CompactPull> whole = builder_.WithAllKeys(lane, **pull);
    if (whole == nullptr) return;  // Sent already: the answer is to an earlier copy.
    found->message = std::move(whole);
  } else if (const auto* push = std::get_if<std::shared_ptr<const CompactPush>>(&found->message)) {
    std::shared_ptr<const CompactPush> whole = builder_.WithAllKeys(lane, *push);
    if (whole == nullptr) return;
    found->message = std::move(whole);
  } else {
    return;
  }
  ++statistics_.key_lists_wanted;
  pushed_bytes_ += PushedBytes(found->message) - bytes_before;
  found->retry_at = now + options_.retry_after;
  Send(*found, effects);
  effects.WakeAt(found->retry_at);
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
                  [&](const Waiting& w) { return w.call == number && w.pull != nullptr; });
  }
  Release(now, effects);
  for (Waiting& waiting : waiting_) {
    if (now >= waiting.retry_at) {
      waiting.retry_at = now + options_.retry_after;
      Send(waiting, effects);
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

// A pull of a step that has all its rows, by how many steps these may lack.
void WorkerCore::Count(const Call& call, std::uint64_t step, std::uint64_t applied) {
  if (options_.step_mode == StepMode::kAsynchronous || !call.steps_ahead) return;
  const std::uint64_t used_in = step + *call.steps_ahead;
  const std::uint64_t staleness = used_in - std::min(used_in, applied);
  constexpr std::uint64_t kLast = WorkerStatistics::kStalenessBuckets - 1;
  ++statistics_.pulls_by_staleness[std::min(staleness, kLast)];
}

void WorkerCore::Complete(Open& open, Effects& effects) {
  if (open.call.sink != nullptr) open.call.sink->Close();
  if (open.status.ok()) {
    Count(open.call, open.step, std::min(open.applied, open.call.applied.value_or(open.applied)));
  }
  effects.completions.push_back({open.number, std::move(open.status), open.applied});
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
