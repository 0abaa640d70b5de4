// What `longtail doctor` finds of the places where things are kept: it writes there, reads it back
// and removes it.
#pragma once

#include <string>

#include "cli/doctor_findings.h"

namespace longtail::cli {

/// Checks the store of checkpoints ("store") or of logs ("log") at an address as OpenStore takes
/// it: that it is there or can be made, writes, reads, appends, lists, removes; of a directory also
/// how much room it has and whether it outlives the machine. Leaves nothing.
void CheckStore(const std::string& check, const std::string& address, Findings& findings);

/// Checks a coordinator's state at an address as OpenMetaStore takes it: that it can be read, and
/// that what is there is a state, or nothing. Where a blob store is beneath, as CheckStore.
void CheckState(const std::string& address, Findings& findings);

/// What to do about an error that a store gave, by its words.
std::string StoreFix(const std::string& check, const std::string& address,
                     const std::string& problem);

}  // namespace longtail::cli
