#include "cli/doctor_answer.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "base/version.h"
#include "cli/inspect_answer.h"
#include "cli/safe_text.h"
#include "io/this_process.h"

namespace longtail::cli {
namespace {

const char* NameOf(Grade grade) {
  switch (grade) {
    case Grade::kOk:
      return "ok";
    case Grade::kWarn:
      return "warn";
    case Grade::kFail:
      return "fail";
  }
  return "";
}

std::string WhatOf(const Finding& finding) {
  return finding.subject.empty() ? finding.check
                                 : absl::StrCat(finding.check, " ", SafeText(finding.subject));
}

}  // namespace

std::string DoctorText(const Findings& findings) {
  constexpr std::size_t kWidthMax = 32;  // Of what a check is of: a longer one moves its own line.
  std::size_t width = 0;
  for (const Finding& finding : findings.list()) {
    width = std::max(width, std::min(WhatOf(finding).size(), kWidthMax));
  }
  std::string text;
  for (const Finding& finding : findings.list()) {
    const std::string what = WhatOf(finding);
    const std::string blanks(width > what.size() ? width - what.size() : 0, ' ');
    absl::StrAppend(&text, NameOf(finding.grade), finding.grade == Grade::kOk ? "    " : "  ", what,
                    blanks, "  ", SafeText(finding.seen), "\n");
    if (finding.grade != Grade::kOk) {
      absl::StrAppend(&text, "      fix: ", SafeText(finding.fix), "\n");
    }
  }
  absl::StrAppend(&text, findings.Count(Grade::kFail), " failed, ", findings.Count(Grade::kWarn),
                  " to look at, ", findings.Count(Grade::kOk), " well\n");
  return text;
}

std::string DoctorJson(const Findings& findings) {
  nlohmann::json document = {{"well", findings.Count(Grade::kFail) == 0},
                             {"failed", findings.Count(Grade::kFail)},
                             {"warned", findings.Count(Grade::kWarn)},
                             {"version", ProgramVersion()},
                             {"host", HostName()},
                             {"findings", nlohmann::json::array()}};
  for (const Finding& finding : findings.list()) {
    document["findings"].push_back({{"grade", NameOf(finding.grade)},
                                    {"check", finding.check},
                                    {"subject", finding.subject},
                                    {"seen", finding.seen},
                                    {"fix", finding.fix}});
  }
  return LineOf(document);
}

}  // namespace longtail::cli
