// The tables a trainer ends with.
#pragma once

#include <iosfwd>

#include "examples/common/report/run_report.h"
#include "examples/common/report/text_table.h"

namespace longtail::examples {

/// Writes the metrics of every split, then those of the last split by training count, for each view
/// it has. At most 80 columns wide with split names of up to 10 characters.
void PrintResultTable(const RunReport& report, std::ostream& out, TerminalStyle style);

}  // namespace longtail::examples
