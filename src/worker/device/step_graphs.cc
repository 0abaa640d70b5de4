#include "worker/device/step_graphs.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace longtail::device {
namespace {

// Kinds that were seen and have no graph yet: of more than these the oldest is forgotten.
constexpr std::size_t kSeenMax = 64;

}  // namespace

void StepGraphs::Run(Stream& stream, const StepKind& kind, absl::FunctionRef<void()> enqueue) {
  Graph* graph = problem_.empty() ? Find(kind) : nullptr;
  if (graph == nullptr && problem_.empty() && kept_.size() < graphs_max_ && IsSeen(kind)) {
    graph = Record(stream, kind, enqueue);
  }
  if (graph == nullptr) {
    ++counters_.plain_steps;
    return enqueue();
  }
  ++counters_.replays;
  counters_.commands += graph->command_count();
  stream.Replay(*graph);
}

Graph* StepGraphs::Find(const StepKind& kind) const {
  const auto there = std::ranges::find(kept_, kind, &Kept::kind);
  return there == kept_.end() ? nullptr : there->graph.get();
}

bool StepGraphs::IsSeen(const StepKind& kind) {
  if (std::ranges::find(seen_, kind) != seen_.end()) return true;
  if (seen_.size() < kSeenMax) {
    seen_.push_back(kind);
  } else {
    seen_[seen_next_] = kind;
    seen_next_ = (seen_next_ + 1) % kSeenMax;
  }
  return false;
}

Graph* StepGraphs::Record(Stream& stream, const StepKind& kind, absl::FunctionRef<void()> enqueue) {
  absl::Status status = stream.BeginCapture();
  if (status.ok()) {
    enqueue();
    absl::StatusOr<std::unique_ptr<Graph>> graph = stream.EndCapture();
    if (graph.ok()) {
      ++counters_.captures;
      return kept_.emplace_back(Kept{.kind = kind, .graph = *std::move(graph)}).graph.get();
    }
    status = graph.status();
  }
  problem_ = absl::StrCat("no graphs, steps are launched command by command: ",
                          absl::string_view(status.message()));
  return nullptr;
}

}  // namespace longtail::device
