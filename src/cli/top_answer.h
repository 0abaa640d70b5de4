// What `longtail top` shows of a cluster.
#pragma once

#include <cstddef>
#include <string>

#include "absl/time/time.h"
#include "cli/bar_text.h"
#include "cluster/cluster_status.h"

namespace longtail::cli {

struct TopView {
  std::size_t lines = 24;    ///< The screen's, at least 8.
  std::size_t columns = 80;  ///< At least 40.
  BarStyle bars = BarStyle::kAscii;
};

/// The cluster as it is now: all of it in a line or two, servers, lanes with what they are asked
/// for a second as bars, the most first, workers that are late. At most as many lines, and no
/// longer ones, than the view has.
std::string TopText(const ClusterStatus& status, absl::Time now, const TopView& view);

/// What stands there while nobody answers.
std::string TopProblem(const std::string& problem, absl::Time now, const TopView& view);

}  // namespace longtail::cli
