#include "examples/common/data/json_fields.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "examples/common/data/line_problem.h"

namespace longtail::examples {

JsonFields::JsonFields(const nlohmann::json& object, std::string place)
    : object_(object), place_(std::move(place)) {
  if (!object_.is_object()) {
    status_ = absl::InvalidArgumentError(
        absl::StrCat(place_, ": is ", object_.type_name(), "; wanted an object"));
  }
}

const nlohmann::json* JsonFields::Find(const std::string& key) {
  known_.push_back(key);
  if (!object_.is_object()) return nullptr;
  const auto found = object_.find(key);
  return found == object_.end() ? nullptr : &*found;
}

bool JsonFields::Has(const std::string& key) {
  return Find(key) != nullptr;
}

void JsonFields::Refuse(const std::string& key, const std::string& what) {
  if (!status_.ok()) return;
  status_ = absl::InvalidArgumentError(absl::StrCat(place_, ": key '", key, "': ", what));
}

void JsonFields::WantType(const std::string& key, const nlohmann::json& value, const char* wanted) {
  Refuse(key, absl::StrCat("is ", value.type_name(), "; wanted ", wanted));
}

void JsonFields::Get(const std::string& key, std::string& target) {
  const nlohmann::json* const value = Find(key);
  if (value == nullptr) return;
  if (!value->is_string()) return WantType(key, *value, "a string");
  target = value->get<std::string>();
}

void JsonFields::Get(const std::string& key, std::optional<std::string>& target) {
  if (Has(key)) Get(key, target.emplace());
}

void JsonFields::Get(const std::string& key, double& target) {
  const nlohmann::json* const value = Find(key);
  if (value == nullptr) return;
  if (!value->is_number()) return WantType(key, *value, "a number");
  target = value->get<double>();
}

void JsonFields::Get(const std::string& key, std::optional<double>& target) {
  if (Has(key)) Get(key, target.emplace());
}

void JsonFields::Get(const std::string& key, std::uint64_t& target) {
  const nlohmann::json* const value = Find(key);
  if (value == nullptr) return;
  if (!value->is_number_unsigned()) return WantType(key, *value, "a whole number, 0 or more");
  target = value->get<std::uint64_t>();
}

void JsonFields::Get(const std::string& key, std::optional<std::uint64_t>& target) {
  if (Has(key)) Get(key, target.emplace());
}

void JsonFields::Get(const std::string& key, bool& target) {
  const nlohmann::json* const value = Find(key);
  if (value == nullptr) return;
  if (!value->is_boolean()) return WantType(key, *value, "true or false");
  target = value->get<bool>();
}

void JsonFields::Get(const std::string& key, std::vector<std::string>& target) {
  const nlohmann::json* const value = Find(key);
  if (value == nullptr) return;
  if (!value->is_array()) return WantType(key, *value, "a list of strings");
  target.clear();
  for (const nlohmann::json& item : *value) {
    if (!item.is_string()) return WantType(key, item, "a list of strings");
    target.push_back(item.get<std::string>());
  }
}

void JsonFields::Get(const std::string& key, std::vector<double>& target) {
  const nlohmann::json* const value = Find(key);
  if (value == nullptr) return;
  if (!value->is_array()) return WantType(key, *value, "a list of numbers");
  target.clear();
  for (const nlohmann::json& item : *value) {
    if (!item.is_number()) return WantType(key, item, "a list of numbers");
    target.push_back(item.get<double>());
  }
}

absl::Status JsonFields::Finish() const {
  if (!status_.ok()) return status_;
  for (const auto& [key, value] : object_.items()) {
    if (std::ranges::find(known_, key) != known_.end()) continue;
    std::vector<std::string> known = known_;
    std::ranges::sort(known);
    known.erase(std::unique(known.begin(), known.end()), known.end());
    return absl::InvalidArgumentError(absl::StrCat(place_, ": unknown key ", Quoted(key),
                                                   "; wanted one of ", absl::StrJoin(known, ", ")));
  }
  return absl::OkStatus();
}

}  // namespace longtail::examples
