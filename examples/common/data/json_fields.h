// Reads the fields of one JSON object, and refuses those that nobody asked for.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace longtail::examples {

/// Each getter leaves its target alone if the key is absent. The first error is kept and returned
/// by Finish, so calls can be made one after the other.
class JsonFields {
 public:
  /// `object` must outlive this; `place` is what messages call it.
  JsonFields(const nlohmann::json& object, std::string place);

  bool Has(const std::string& key);
  void Get(const std::string& key, std::string& target);
  void Get(const std::string& key, std::optional<std::string>& target);
  void Get(const std::string& key, double& target);
  void Get(const std::string& key, std::optional<double>& target);
  void Get(const std::string& key, std::uint64_t& target);
  void Get(const std::string& key, std::optional<std::uint64_t>& target);
  void Get(const std::string& key, bool& target);
  void Get(const std::string& key, std::vector<std::string>& target);
  void Get(const std::string& key, std::vector<double>& target);

  /// The value at `key`, or null.
  const nlohmann::json* Find(const std::string& key);

  /// Records that `key` is wrong; `what` says what it is and what was wanted.
  void Refuse(const std::string& key, const std::string& what);

  /// Errors: InvalidArgument "place: key 'x': …" for the first thing that was wrong, or for a key
  /// that nobody asked for, with those that are known.
  absl::Status Finish() const;

 private:
  void WantType(const std::string& key, const nlohmann::json& value, const char* wanted);

  const nlohmann::json& object_;
  const std::string place_;
  std::vector<std::string> known_;
  absl::Status status_;
};

}  // namespace longtail::examples
