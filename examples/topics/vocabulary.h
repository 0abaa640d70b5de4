// The words of a corpus, numbered in the order in which they came. None is ever cut.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "longtail/ids.h"

namespace longtail::examples {

/// The key of a word's row: a hash of its text, so corpora need not agree on numbers.
///
/// Source: XXH3 64 bits, https://github.com/Cyan4973/xxHash.
Key WordKey(std::string_view text);

/// Thread: one that adds; or any.
class Vocabulary {
 public:
  /// Reads one word a line; what follows a tab is left out. Plain or compressed.
  ///
  /// Errors: NotFound; InvalidArgument naming file and line (an empty word, one that was there).
  static absl::StatusOr<Vocabulary> Load(const std::string& path);

  /// Writes what Load reads. Errors: Unavailable (is the disk full?).
  absl::Status Save(const std::string& path) const;

  /// The word's number; a new word gets the next one.
  std::uint32_t Add(std::string_view text);

  std::optional<std::uint32_t> Find(std::string_view text) const;

  const std::string& text(std::uint32_t number) const { return texts_[number]; }
  std::uint32_t size() const { return static_cast<std::uint32_t>(texts_.size()); }

  /// [size] of every word, by number.
  const std::vector<Key>& keys() const { return keys_; }

 private:
  std::vector<std::string> texts_;
  std::vector<Key> keys_;
  absl::flat_hash_map<Key, std::uint32_t> numbers_;
};

}  // namespace longtail::examples
