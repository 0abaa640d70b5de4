// What `longtail bench` says.
#pragma once

#include <string>
#include <vector>

#include "cli/bench.h"

namespace longtail::cli {

/// For people: a line for each kind of call.
std::string BenchText(const BenchOptions& options, const std::vector<BenchFigure>& figures);

/// The same for programs: one JSON object and the end of its line.
std::string BenchJson(const BenchOptions& options, const std::vector<BenchFigure>& figures);

}  // namespace longtail::cli
