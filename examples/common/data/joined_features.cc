#include "examples/common/data/joined_features.h"

#include <algorithm>
#include <filesystem>
#include <utility>

namespace longtail::examples {

std::string PathOf(const std::string& directory, const std::string& file) {
  return directory.empty() ? file : (std::filesystem::path(directory) / file).string();
}

absl::StatusOr<JoinedFeatures> JoinedFeatures::Load(const FileOpener& opener,
                                                    const Schema& schema) {
  JoinedFeatures result;
  for (std::size_t j = 0; j < schema.joins.size(); ++j) {
    const JoinSpec& join = schema.joins[j];
    std::vector<FeatureSpec> features;
    for (std::size_t i = 0; i < schema.features.size(); ++i) {
      if (std::ranges::find(join.add, schema.features[i].column) == join.add.end()) continue;
      result.places_.emplace(i, Place{j, features.size()});
      features.push_back(schema.features[i]);
    }
    absl::StatusOr<SideTable> table =
        SideTable::Load(opener, PathOf(schema.directory, join.file), join, features);
    if (!table.ok()) return table.status();
    result.tables_.push_back(*std::move(table));
  }
  return result;
}

}  // namespace longtail::examples
