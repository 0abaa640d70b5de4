// What `longtail doctor` found, check by check.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace longtail::cli {

enum class Grade : std::uint8_t { kOk, kWarn, kFail };

struct Finding {
  Grade grade = Grade::kOk;
  std::string check{};    ///< Which check, a word that stays: "clock".
  std::string subject{};  ///< Of what: "server-1", "/var/lib/longtail"; may be empty.
  std::string seen{};     ///< What was seen, in a line.
  std::string fix{};      ///< What to do, unless it is well.
};

/// In the order in which they were looked for.
class Findings {
 public:
  void Ok(std::string check, std::string subject, std::string seen) {
    list_.push_back(
        {Grade::kOk, std::move(check), std::move(subject), std::move(seen), std::string()});
  }
  void Warn(std::string check, std::string subject, std::string seen, std::string fix) {
    list_.push_back(
        {Grade::kWarn, std::move(check), std::move(subject), std::move(seen), std::move(fix)});
  }
  void Fail(std::string check, std::string subject, std::string seen, std::string fix) {
    list_.push_back(
        {Grade::kFail, std::move(check), std::move(subject), std::move(seen), std::move(fix)});
  }

  const std::vector<Finding>& list() const { return list_; }

  std::size_t Count(Grade grade) const {
    std::size_t count = 0;
    for (const Finding& finding : list_) count += finding.grade == grade ? 1 : 0;
    return count;
  }

 private:
  std::vector<Finding> list_;
};

}  // namespace longtail::cli
