// What is behind a ServingTable, and how options are checked.
#pragma once

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "longtail/serving.h"
#include "serving/table_reader.h"

namespace longtail {

class ServingTable::Impl {
 public:
  explicit Impl(serving::TableReader made) : reader(std::move(made)) {}

  const serving::TableReader reader;
};

namespace serving {

/// Errors: InvalidArgument, naming the option.
absl::Status Validate(const ServingOptions& options);

/// Whether a file's spec is the one of that name which is wanted, if one is.
///
/// Errors: FailedPrecondition, naming `what` and what differs.
absl::Status CheckSpec(const std::string& what, const TableSpec& spec,
                       std::span<const TableSpec> wanted);

}  // namespace serving
}  // namespace longtail
