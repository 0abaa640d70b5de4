// Ids as files have them, and the small numbers that stand for them in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"

namespace longtail::examples::recommender {

/// Numbers ids in the order in which they come, from 0.
class IdTable {
 public:
  /// The number of `id`, which gets the next one if it is new.
  std::uint32_t Add(std::string_view id) {
    const auto found = numbers_.find(absl::string_view(id.data(), id.size()));
    if (found != numbers_.end()) return found->second;
    const auto number = static_cast<std::uint32_t>(names_.size());
    const std::string& name = names_.emplace_back(id);  // A deque: names stay where they are.
    numbers_.emplace(absl::string_view(name.data(), name.size()), number);
    return number;
  }

  std::optional<std::uint32_t> Find(std::string_view id) const {
    const auto found = numbers_.find(absl::string_view(id.data(), id.size()));
    if (found == numbers_.end()) return {};
    return found->second;
  }

  const std::string& name(std::uint32_t number) const { return names_[number]; }
  std::uint32_t size() const { return static_cast<std::uint32_t>(names_.size()); }

  IdTable() = default;
  IdTable(IdTable&&) = default;
  IdTable& operator=(IdTable&&) = default;

 private:
  std::deque<std::string> names_;
  absl::flat_hash_map<absl::string_view, std::uint32_t> numbers_;
};

}  // namespace longtail::examples::recommender
