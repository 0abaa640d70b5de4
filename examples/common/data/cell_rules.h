// What a cell becomes: a number, or the keys of a field.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "examples/common/data/schema.h"
#include "longtail/ids.h"

namespace longtail::examples {

/// Turns a cell into a number as a numeric FeatureSpec says.
class NumberRule {
 public:
  explicit NumberRule(const FeatureSpec& spec) : spec_(spec) {}

  /// Sets `number`. Returns false, and says why in `message`, if the cell is neither empty nor a
  /// number whose transform is finite.
  bool Apply(std::string_view cell, float& number, std::string& message) const;

 private:
  const FeatureSpec spec_;
};

/// Turns a cell into keys as a categorical FeatureSpec says.
class TokenRule {
 public:
  /// Errors: InvalidArgument if `extract` is no regular expression with exactly one group.
  [[nodiscard]] static absl::StatusOr<TokenRule> Make(const FeatureSpec& spec);

  /// Appends the keys of `cell` to `keys`. Returns false, and says why in `message`, if a bucket is
  /// wanted of something that is no number.
  ///
  /// Cost: one hash a token; no allocation beyond `keys` unless the letters are lowered.
  bool Apply(std::string_view cell, std::vector<Key>& keys, std::string& message) const;

  /// The key of one token that is used as it stands, which Apply would give if IsPlain.
  Key PlainKey(std::string_view token) const;

  /// Whether the cell is its one token: no list, no extract, no bucket, no lowering, none if
  /// missing.
  bool IsPlain() const { return is_plain_; }

  std::uint64_t seed() const { return seed_; }

 private:
  struct Pattern;

  explicit TokenRule(const FeatureSpec& spec);
  bool ApplyCell(std::string_view cell, std::vector<Key>& keys, std::string& message) const;
  bool ApplyToken(std::string_view token, std::vector<Key>& keys, std::string& message) const;

  FeatureSpec spec_;
  std::uint64_t seed_ = 0;
  bool is_plain_ = false;
  std::shared_ptr<const Pattern> pattern_;  // Null without `extract`.
};

}  // namespace longtail::examples
