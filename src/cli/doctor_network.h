// What `longtail doctor` finds of names and ports of this machine.
#pragma once

#include <cstdint>
#include <string>

#include "cli/doctor_findings.h"

namespace longtail::cli {

/// Whether a process can listen at `listen` (tcp://HOST:PORT) and the `places` - 1 ports that
/// follow: it listens there, as the process will, and lets go. `check` is the option's name.
void CheckListen(const std::string& check, const std::string& listen, std::uint32_t places,
                 Findings& findings);

/// Whether what others are told to connect to leads to this machine: `advertise`, or what a server
/// says that listens at `listen` and has no such option. One of them may be empty.
void CheckAdvertise(const std::string& advertise, const std::string& listen, Findings& findings);

}  // namespace longtail::cli
