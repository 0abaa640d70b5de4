// What `longtail plan` is asked, as people write it.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/plan.h"

namespace longtail::cli {

/// Reads "NAME:WORD=VALUE,…" with the words fields, cardinality (of each field; "2e6" is one),
/// dim, optimizer (a rule's name), weights and state (formats), tail (a count below which rows are
/// the tail's, int8 and bf16), rowwise (1: one accumulator for a tail row), tail_share.
///
/// Errors: InvalidArgument naming the table, the word and what was wanted.
absl::StatusOr<PlannedTable> ParsePlannedTable(const std::string& text);

/// Takes from the config of a longtail-ctr training what it says: one table, its formats, its
/// batch and workers. Fields and cardinality are the data's, and stay as `input` has them in the
/// table that it adds.
///
/// Errors: NotFound; DataLoss (no JSON); InvalidArgument naming file and field.
absl::Status TakeTrainingConfig(const std::string& path, PlannedTable data, PlanInput& input);

/// Takes a TableSpec as manifests have it, or an object that holds one as "spec" (`longtail status
/// --json` and `inspect table --json` give such).
///
/// Errors: as above.
absl::Status TakeTableSpec(const std::string& path, PlannedTable data, PlanInput& input);

}  // namespace longtail::cli
