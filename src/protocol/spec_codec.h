// A TableSpec as bytes: on the wire, in snapshots, and under the fingerprint of manifests.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "longtail/table_spec.h"
#include "protocol/field_reader.h"

namespace longtail {

inline constexpr std::uint16_t kSpecVersion = 3;

/// Equal specs give equal bytes, on every machine.
std::string EncodeTableSpec(const TableSpec& spec);

/// Checks sizes, tags and that numbers are finite; whether the spec makes sense is Validate's
/// question.
///
/// Errors: InvalidArgument naming the field and its offset.
absl::StatusOr<TableSpec> DecodeTableSpec(std::span<const std::byte> bytes);

/// Reads a 32-bit size and as many bytes of a spec, within something larger.
TableSpec ReadTableSpec(FieldReader& reader);

}  // namespace longtail
