// The device's part of a step as one launch: what steps of one kind enqueue is recorded once, and
// launched again as a graph.
//
//   step of a kind     first           second                    third …
//   is done by         its commands    a graph, recorded then    the graph
//
// A kind is all that decides the commands' arguments; what else differs from step to step must lie
// in the device's memory, or the graph does what an older step did. The first step of a kind
// records nothing: it may be the only one, as the last of a pass is, and whatever libraries set up
// when a kernel runs for the first time happens outside of a capture.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "worker/device/device.h"
#include "worker/device/step_room.h"

namespace longtail::device {

/// What decides a step's commands.
struct StepKind {
  std::uint64_t room = 0;         ///< Whose arrays: its number in the pipeline.
  StepShape bounds{};             ///< Their places, and what is launched.
  std::array<float, 2> scales{};  ///< Whatever scalars go by value: of gradients.

  bool operator==(const StepKind&) const = default;
};

struct GraphCounters {
  std::uint64_t captures = 0;
  std::uint64_t replays = 0;   ///< Steps done by a graph, those that recorded it among them.
  std::uint64_t commands = 0;  ///< That these graphs stand for.
  std::uint64_t plain_steps = 0;
};

/// Thread: one at a time; all on one stream, which must outlive it.
class StepGraphs {
 public:
  /// Graphs are kept for so many kinds; steps of others are done by their commands.
  static constexpr std::size_t kGraphsMax = 256;

  explicit StepGraphs(std::size_t graphs_max = kGraphsMax) : graphs_max_(graphs_max) {}

  /// Has a step done on `stream`: by a graph of its kind, or by what `enqueue` enqueues there. That
  /// may be called to record, or for the step itself, or not at all: it must not count steps.
  ///
  /// Cost: see Stream::EndCapture for the second step of a kind.
  void Run(Stream& stream, const StepKind& kind, absl::FunctionRef<void()> enqueue);

  const GraphCounters& counters() const { return counters_; }

  /// Why there are no graphs, in a sentence: a device that records nothing, or a capture that
  /// failed. From then on steps are done by their commands. Empty: nothing is wrong.
  const std::string& problem() const { return problem_; }

 private:
  struct Kept {
    StepKind kind;
    std::unique_ptr<Graph> graph;
  };

  Graph* Find(const StepKind& kind) const;
  bool IsSeen(const StepKind& kind);
  Graph* Record(Stream& stream, const StepKind& kind, absl::FunctionRef<void()> enqueue);

  const std::size_t graphs_max_;
  std::vector<Kept> kept_;
  std::vector<StepKind> seen_;  // A ring of the last ones without a graph.
  std::size_t seen_next_ = 0;
  GraphCounters counters_;
  std::string problem_;
};

}  // namespace longtail::device
