// A TableSpec as JSON that people can read, in manifests.
#pragma once

#include <nlohmann/json.hpp>

#include "longtail/table_spec.h"
#include "protocol/json_reader.h"

namespace longtail {

/// Writes numbers with as few digits as give the same float again. All must be finite.
nlohmann::json SpecToJson(const TableSpec& spec);

/// Reads the spec's fields from an object that may have others. Errors go to the reader.
TableSpec SpecFromJson(JsonReader reader);

}  // namespace longtail
