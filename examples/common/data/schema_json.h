// A schema as JSON text. Comments (// and /* */) are allowed, unknown keys are errors.
//
//   format      "csv" (default; quotes, header), "tsv" (header), "delimited" (with separator),
//               "libsvm", "criteo" (raw Criteo lines: label, 13 integers, 26 categories)
//   separator   of "delimited", one or more bytes, e.g. "::"
//   header      true or false; false needs columns
//   columns     names in order; "I1..I13" stands for I1, I2, … I13
//   fields      libsvm: number of positional fields, named by columns or f0, f1, …
//   integers    criteo: "buckets" (default: 13 fields), "log1p" (13 numbers), "both"
//   label       "column", or {column, at_least: number | positive: [values]}
//   features    list of "column", or {column, field, type: "categorical" | "numeric", …}
//                 numeric: transform ("none" | "log1p" | "standardise" with mean, std), missing
//                 categorical: separator, extract, lower_case, bucket ("log_square" |
//                 [boundaries]), missing_key (a missing value has a key of its own)
//               a column may be a range: "C1..C26"
//   group       column whose value groups examples (GAUC)
//   joins       list of {file, format, separator, header, columns, on, add, many, as_of};
//               on and as_of: "column", or {example: "column", side: "column"}
//   files       files of every split that names none
//   splits      name -> {files, where: [{column, equals | at_least | below}],
//               skip, take | first | last}
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "examples/common/data/schema.h"

namespace longtail::examples {

/// The schema that `text` describes; `name` is what messages call it. Relative file names begin in
/// `directory`.
///
/// Errors: InvalidArgument, naming the key, its value and what was wanted.
[[nodiscard]] absl::StatusOr<Schema> ParseSchema(std::string_view text, const std::string& name,
                                                 const std::string& directory);

/// The schema in the file at `path`; relative file names in it begin in the file's own directory,
/// or in `data_directory` if that is not empty.
///
/// Errors: NotFound if there is no such file; InvalidArgument as ParseSchema.
[[nodiscard]] absl::StatusOr<Schema> LoadSchema(const std::string& path,
                                                const std::string& data_directory = "");

}  // namespace longtail::examples
