// What a cell becomes as a label.
#pragma once

#include <string>
#include <string_view>

#include "examples/common/data/schema.h"

namespace longtail::examples {

/// Sets `label` to 0 or 1 as `spec` says. Returns false, and says why in `message`, if `cell`
/// cannot be a label.
bool ReadLabel(const LabelSpec& spec, std::string_view cell, float& label, std::string& message);

}  // namespace longtail::examples
