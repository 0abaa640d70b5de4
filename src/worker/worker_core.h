// A worker's rules, as a deterministic state machine: sequence numbers, retries, deadlines, steps.
//
// The shell (connected_worker.h) cuts a call into one request a lane and submits them; the core
// sends them until each is answered and says when the call is complete. A push stays in the core,
// and is sent again, until it is acknowledged, even when its caller's deadline has passed: dropping
// it would leave a gap in its session's sequence.
//
// Threads: not thread-safe; see io/core_loop.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "longtail/statistics.h"
#include "longtail/step_mode.h"
#include "protocol/messages.h"
#include "protocol/step.h"
#include "worker/compact_builder.h"

namespace longtail {

/// Requests of one worker that may be unanswered at a time.
inline constexpr std::size_t kOutstandingRequestsMax = 4096;

/// How soon a request is sent again that a lane said it could not take now.
inline constexpr absl::Duration kRetryRefusedAfter = absl::Milliseconds(20);

class WorkerCore final : public Core {
 public:
  struct Options {
    NodeId self{};
    SessionId session{};
    std::uint32_t rank = 0;
    std::uint32_t partition_count = 1;
    std::uint64_t epoch = 0;  ///< Of the cluster; a reader's: 0.
    absl::Duration retry_after = absl::Seconds(5);
    StepMode step_mode = StepMode::kAsynchronous;
    std::uint32_t staleness = 0;  ///< See ClusterOptions; for errors.
    /// What a lane is called in errors; null: by its number.
    std::function<std::string(NodeId lane)> describe = {};
    bool counts_bytes = false;  ///< What is sent and received travels as bytes.
    bool is_reader = false;     ///< Its pulls take rows of any epoch of the cluster, all of one.
    CompactBuilder::Options compact = {};  ///< For requests that travel in compact form.
  };

  /// One request of a call, not yet sent. The core fills in session, request, step and sequences,
  /// so the message must not be shared yet.
  using Request = std::variant<std::shared_ptr<PullRequest>, std::shared_ptr<PushRequest>,
                               std::shared_ptr<BarrierRequest>, OpenSession, CloseSession>;
  struct Outgoing {
    NodeId lane{};
    Request request;
  };
  struct Call {
    const char* kind = "call";  ///< For errors: a literal, "pull", "push" …
    std::size_t keys = 0;       ///< For errors.
    absl::Time deadline;
    std::shared_ptr<PullSink> sink = nullptr;  ///< Pulls: closed when the call is complete.
    bool ends_step = false;  ///< If it is not refused, the next calls belong to the next step.
    /// Pulls: the rows are used so many steps later; none: the pull is not counted.
    std::optional<std::uint32_t> steps_ahead = std::nullopt;
    /// Pulls: steps that all rows had applied which are there already; none: no row is.
    std::optional<std::uint64_t> applied = std::nullopt;
  };

  explicit WorkerCore(const Options& options);

  /// Sends a call's requests and returns its number; a Completion with that number follows, at once
  /// if there are no requests or if a named limit is reached.
  std::uint64_t Submit(Call call, std::span<Outgoing> requests, absl::Time now, Effects& effects);

  /// The caller lost interest. Its pulls are forgotten, its pushes are still delivered.
  void Abandon(std::uint64_t call, absl::Time now, Effects& effects);

  /// The worker leaves: as Abandon for every pull.
  void AbandonPulls(absl::Time now, Effects& effects);

  std::uint64_t step() const { return step_; }
  std::size_t outstanding() const { return waiting_.size(); }
  /// Bytes of keys, counts and gradients of pushes that no lane has acknowledged, in the form in
  /// which they travel.
  std::size_t pushed_bytes() const { return pushed_bytes_; }
  std::uint64_t resent() const { return resent_; }
  WorkerStatistics statistics() const;

  void Step(const Envelope& event, absl::Time now, Effects& effects) override;
  void OnStored(const StoreAnswer& answer, absl::Time now, Effects& effects) override;
  void Tick(absl::Time now, Effects& effects) override;

 private:
  struct Waiting {
    std::uint64_t request = 0;
    std::uint64_t call = 0;
    NodeId lane{};
    Message message;
    std::shared_ptr<const PullRequest> pull;  // Of a pull, whatever form its message has.
    absl::Time retry_at;
    bool is_held = false;  // Not sent yet; see MustHold.
  };
  // What an answer to a pull brings.
  using Rows = std::variant<std::monostate, const PullReply*, const CompactPullReply*>;
  struct Open {
    std::uint64_t number = 0;
    Call call;
    std::uint64_t step = 0;  // The worker's when it was submitted.
    std::uint32_t unanswered = 0;
    std::uint64_t applied = std::numeric_limits<std::uint64_t>::max();  // By all who answered; of
                                                                        // these rows alone.
    // Of a reader: the epoch of the rows that came, and the requests that they answered.
    std::uint64_t epoch = 0;
    std::vector<Waiting> answered{};
    absl::Status status;
  };

  void SendAgain(absl::Time now, Effects& effects);
  void NoteOpening(NodeId lane, const Acknowledgement& ack, absl::Time now, Effects& effects);
  Message Prepare(Request& request, std::uint64_t number, std::uint64_t step);
  void Compact(Waiting& waiting);
  void OnAnswer(NodeId lane, std::uint64_t request, const absl::Status& status, const Rows& rows,
                absl::Time now, Effects& effects);
  bool IsOfOneEpoch(Open& open, std::uint64_t epoch, const Waiting& found, absl::Time now,
                    Effects& effects);
  void OnKeysWanted(NodeId lane, std::uint64_t request, absl::Time now, Effects& effects);
  void Send(const Waiting& waiting, Effects& effects);
  void Complete(Open& open, Effects& effects);
  void Count(const Call& call, std::uint64_t step, std::uint64_t applied);
  std::string WaitText(const Open& open) const;
  bool MustHold(const Waiting& next) const;
  void Release(absl::Time now, Effects& effects);
  Open* FindOpen(std::uint64_t call);
  Waiting* FindWaiting(NodeId lane, std::uint64_t request);
  std::string NameOf(NodeId lane) const;

  const Options options_;
  std::uint64_t step_ = 0;
  bool is_open_ = false;        // Every lane has answered OpenSession, the first call there is,
  std::vector<NodeId> opened_;  // until then: those that have.
  std::uint64_t next_request_ = 1;
  std::uint64_t next_call_ = 1;
  std::uint64_t resent_ = 0;
  WorkerStatistics statistics_;
  CompactBuilder builder_;
  std::vector<std::uint64_t> next_sequence_;  // [partition]
  std::vector<Waiting> waiting_;              // In the order of sending.
  std::size_t pushed_bytes_ = 0;              // Of them.
  std::size_t held_ = 0;                      // Of them, those held.
  std::vector<NodeId> lanes_with_pulls_;      // Release's own.
  std::vector<NodeId> lanes_held_;            // Release's own.
  std::vector<Open> open_;                    // Calls, in order.
};

}  // namespace longtail
