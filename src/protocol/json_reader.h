// Reads named fields of JSON that nobody vouches for; the first error names the field's path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace longtail {

/// Parses a document that nests at most `depth_max` deep.
///
/// Errors: DataLoss naming `what`, the byte and the cause, for text that is not whole JSON.
absl::StatusOr<nlohmann::json> ParseJson(std::string_view what, std::string_view text,
                                         int depth_max);

/// One object of a document. After the first error, which goes to `status`, every read gives
/// defaults. Fields that nobody asks for are ignored.
class JsonReader {
 public:
  /// `path` begins every message; `value` and `status` must outlive the reader.
  JsonReader(std::string path, const nlohmann::json& value, absl::Status& status);

  std::string Text(const std::string& name, std::size_t size_max);
  std::uint64_t Whole(const std::string& name, std::uint64_t low, std::uint64_t high);
  std::uint32_t Whole32(const std::string& name, std::uint32_t low, std::uint32_t high);
  float Number(const std::string& name);

  bool Bool(const std::string& name);

  /// Whether there is a field of this name; no error if not.
  bool Has(const std::string& name) const;

  /// Sixteen hexadecimal digits.
  std::uint64_t Hex(const std::string& name);

  /// A text that must be one of `names`; gives its index.
  std::size_t OneOf(const std::string& name, std::span<const std::string_view> names);

  /// An object within this one.
  JsonReader Object(const std::string& name);

  /// Calls visit(JsonReader) for each object of an array of at most `count_max`.
  template <typename Visit>
  void Each(const std::string& name, std::size_t count_max, Visit&& visit) {
    const nlohmann::json& array = Array(name, count_max);
    for (std::size_t i = 0; i < array.size() && ok(); ++i) {
      visit(JsonReader(PathOf(name) + "[" + std::to_string(i) + "]", array[i], status_));
    }
  }

  /// Records the first error: "path.name problem".
  void Refuse(const std::string& name, std::string_view problem);

  bool ok() const { return status_.ok(); }

 private:
  const nlohmann::json& Find(const std::string& name);  // Null, and an error, if it is missing.
  const nlohmann::json& Array(const std::string& name, std::size_t count_max);
  std::string PathOf(const std::string& name) const;

  const std::string path_;
  const nlohmann::json& value_;
  absl::Status& status_;
};

}  // namespace longtail
