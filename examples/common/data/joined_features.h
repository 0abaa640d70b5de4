// The side files of a schema, and which features come from them.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "examples/common/data/byte_source.h"
#include "examples/common/data/schema.h"
#include "examples/common/data/side_table.h"

namespace longtail::examples {

class JoinedFeatures {
 public:
  struct Place {
    std::size_t join = 0;     ///< In schema.joins.
    std::size_t feature = 0;  ///< In the side table of that join.
  };

  /// Loads every join of `schema`.
  ///
  /// Errors: as SideTable::Load.
  [[nodiscard]] static absl::StatusOr<JoinedFeatures> Load(const FileOpener& opener,
                                                           const Schema& schema);

  /// Where feature `i` of the schema comes from, if it comes from a side file.
  std::optional<Place> Find(std::size_t i) const {
    const auto found = places_.find(i);
    return found == places_.end() ? std::nullopt : std::optional(found->second);
  }

  const SideTable& table(std::size_t join) const { return tables_[join]; }

 private:
  std::map<std::size_t, Place> places_;
  std::vector<SideTable> tables_;
};

/// The path of `file`, which a schema in `directory` names.
std::string PathOf(const std::string& directory, const std::string& file);

}  // namespace longtail::examples
