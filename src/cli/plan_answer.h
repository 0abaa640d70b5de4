// What `longtail plan` says.
#pragma once

#include <string>

#include "cli/plan.h"

namespace longtail::cli {

/// For people: tables, servers, the network, checkpoints, and what to ask of Kubernetes.
std::string PlanText(const PlanInput& input, const Plan& plan);

/// The same for programs: one JSON object and the end of its line.
std::string PlanJson(const Plan& plan);

}  // namespace longtail::cli
