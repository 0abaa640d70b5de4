// What `longtail doctor` says.
#pragma once

#include <string>

#include "cli/doctor_findings.h"

namespace longtail::cli {

/// For people: a line for each finding, what to do on the next one where it is not well; then how
/// many of each there are.
std::string DoctorText(const Findings& findings);

/// The same for programs: one JSON object and the end of its line.
std::string DoctorJson(const Findings& findings);

}  // namespace longtail::cli
