// What the files of a data set mean: their format, the role of every column, joins and splits.
//
// A Schema is written as JSON beside the data; see schema_json.h for the words it uses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "examples/common/data/feature_layout.h"

namespace longtail::examples {

/// The most columns a table may have, and the most features, joins and splits of a schema.
inline constexpr std::size_t kColumnCountMax = 4096;

enum class Quotes { kNone, kDouble };
enum class Header { kAbsent, kFirstLine };

/// A table as text: one line a row.
struct TableFormat {
  std::string separator = ",";
  Quotes quotes = Quotes::kDouble;
  Header header = Header::kFirstLine;
  std::vector<std::string> columns;  ///< Their names in order, if there is no header.
};

/// Lines "label index:value index:value …".
struct LibsvmFormat {
  /// Names of positional fields: the i-th pair of every line belongs to the i-th field. Empty: all
  /// pairs belong to one multi-valued field called "features".
  std::vector<std::string> fields;
};

/// How a cell becomes a label of 0 or 1. With neither threshold nor list: 1 is 1, 0 and -1 are 0.
struct LabelSpec {
  std::string column;
  std::optional<double> at_least;     ///< 1 if the number in the cell is at least this.
  std::vector<std::string> positive;  ///< 1 if the cell is one of these, 0 otherwise.
};

enum class FeatureKind { kCategorical, kNumeric };
enum class Transform { kNone, kLog1p, kStandardise };
enum class Bucketing { kNone, kBoundaries, kLogSquare };

/// One column as one numeric feature or one categorical field.
struct FeatureSpec {
  std::string column;
  std::string field;  ///< Its name in the model; part of the keys of a categorical one.
  FeatureKind kind = FeatureKind::kCategorical;

  // Numeric. kLog1p is sign(x) log(1 + |x|); kStandardise is (x - mean) / deviation.
  Transform transform = Transform::kNone;
  double mean = 0;
  double deviation = 1;
  float missing = 0;  ///< What an empty cell becomes, after the transform.

  // Categorical, done in this order. An empty cell, or one without a match, has no key, unless
  // missing_key gives all those of the field a key of their own: that it is missing says something.
  bool missing_key = false;
  std::string separator;    ///< Splits the cell into several values, if not empty.
  std::string extract;      ///< POSIX extended expression with one group: the value is that group.
  bool lower_case = false;  ///< ASCII letters only.
  Bucketing bucketing = Bucketing::kNone;  ///< The value is a number; its bucket is the token.
  std::vector<double> boundaries;          ///< Ascending; bucket i: i of them are <= the number.
};

/// Two columns that are compared: of the example, and of the side file.
struct ColumnPair {
  std::string example;
  std::string side;
};

/// A side file, held in memory, that adds columns to every example.
struct JoinSpec {
  std::string file;
  TableFormat table;
  ColumnPair on;
  std::vector<std::string> add;  ///< Columns of the side file that features may name.
  bool many = false;             ///< Many rows a key: the added column is the set of their values.
  std::optional<ColumnPair> as_of;  ///< Only rows whose time is at most the example's time.
};

/// A row passes if its cell passes all that is set. An empty cell passes no number test.
struct Condition {
  std::string column;
  std::optional<std::string> equals;
  std::optional<double> at_least;
  std::optional<double> below;
};

/// A part of the data. Its examples are the rows of `files` that pass every condition, counted from
/// 0 in the order of the files; then those with a number in the range that the rest gives. A row
/// counts whether or not its other cells can be read.
struct SplitSpec {
  std::vector<std::string> files;
  std::vector<Condition> where;
  std::uint64_t skip = 0;
  std::optional<std::uint64_t> take;
  std::optional<double> first;  ///< The first part of this size, 0..1; needs one more pass.
  std::optional<double> last;   ///< The rest after the first 1 - last; needs one more pass.
};

struct Schema {
  std::string directory;  ///< Where relative file names begin.
  TableFormat table;
  std::optional<LibsvmFormat> libsvm;  ///< If set, `table`, `features` and `joins` mean nothing.
  LabelSpec label;
  std::vector<FeatureSpec> features;
  std::optional<std::string> group;  ///< Column (or libsvm field) whose value groups examples.
  std::vector<JoinSpec> joins;
  std::map<std::string, SplitSpec> splits;
};

/// What the batches of this schema hold: numbers and fields, each in the order of `features`.
FeatureLayout LayoutOf(const Schema& schema);

/// Checks what can be checked without a file.
///
/// Errors: InvalidArgument, naming the first entry that is wrong, its value and what was wanted.
[[nodiscard]] absl::Status Validate(const Schema& schema);

}  // namespace longtail::examples
