// Data sets small enough to be written in a test, and a directory for files.
#pragma once

#include <catch2/catch.hpp>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "examples/recommender/dataset.h"
#include "examples/recommender/recommender_config.h"

namespace longtail::examples::recommender::test {

inline void Need(const absl::Status& status) {
  INFO(status.ToString());
  REQUIRE(status.ok());
}

template <typename T>
T Need(absl::StatusOr<T> value) {
  INFO(value.status().ToString());
  REQUIRE(value.ok());
  return *std::move(value);
}

/// A directory that is gone with the object.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::string& path() const { return path_; }

  /// Writes a file and returns its path.
  std::string Write(const std::string& name, const std::string& text) const;

 private:
  std::string path_;
};

/// A data set of these lists: users "0", "1", …, with items "0", …, in that order; all but the
/// last `test_items` of each are training.
Dataset MakeDataset(const std::vector<std::vector<std::uint32_t>>& lists, std::uint32_t item_count,
                    std::size_t test_items);

/// Lists by chance: each user has `length` different items.
std::vector<std::vector<std::uint32_t>> RandomLists(std::uint64_t seed, std::uint32_t users,
                                                    std::uint32_t items, std::uint32_t length);

/// The committed quick start, with `epochs` of it.
RecommenderConfig QuickStart(std::uint32_t epochs);

}  // namespace longtail::examples::recommender::test
