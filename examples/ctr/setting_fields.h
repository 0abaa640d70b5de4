// JSON fields with the types that settings have.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "examples/common/data/json_fields.h"

namespace longtail::examples {

class SettingFields : public JsonFields {
 public:
  using JsonFields::Get;
  using JsonFields::JsonFields;

  void Get(const std::string& key, float& target) {
    double value = target;
    JsonFields::Get(key, value);
    target = static_cast<float>(value);
  }

  /// Refuses what does not fit 32 bits.
  void Get(const std::string& key, std::uint32_t& target) {
    std::uint64_t value = target;
    JsonFields::Get(key, value);
    if (value > std::numeric_limits<std::uint32_t>::max()) {
      return Refuse(key, absl::StrCat("is ", value, "; wanted at most 4294967295"));
    }
    target = static_cast<std::uint32_t>(value);
  }

  void Get(const std::string& key, std::vector<std::uint32_t>& target) {
    if (!Has(key)) return;
    std::vector<double> values;
    JsonFields::Get(key, values);
    target.clear();
    for (const double value : values) {
      if (!(value >= 1 && value <= 1e9) ||
          value != static_cast<double>(static_cast<std::uint32_t>(value))) {
        return Refuse(key, absl::StrCat("has ", value, "; wanted whole numbers from 1 up"));
      }
      target.push_back(static_cast<std::uint32_t>(value));
    }
  }

  /// One of `words`; `index` becomes its place.
  void GetWord(const std::string& key, const std::vector<std::string>& words, std::size_t& index) {
    if (!Has(key)) return;
    std::string word;
    JsonFields::Get(key, word);
    std::string all;
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (words[i] == word) {
        index = i;
        return;
      }
      absl::StrAppend(&all, i == 0 ? "" : ", ", words[i]);
    }
    Refuse(key, absl::StrCat("is '", word, "'; wanted one of ", all));
  }
};

}  // namespace longtail::examples
