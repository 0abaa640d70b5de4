// A fault that is planted for real, and the doctor's answer to it.
#pragma once

#include <catch2/catch.hpp>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "server/scratch_directory.h"
#include "support/program.h"

namespace longtail::test {

/// What is planted, and the command that is to find it.
struct Plant {
  ScratchDirectory directory;
  std::vector<std::string> before{};  ///< Words before the program: a shell that sets a limit.
  std::vector<std::string> words{};   ///< Options of doctor.
  std::vector<std::shared_ptr<void>> things{};  ///< What lives until it was found.

  std::string path(const std::string& name) const { return directory.path() + "/" + name; }

  /// A shell that does `first` and then becomes the program.
  void After(const std::string& first) {
    before = {"/bin/sh", "-c", first + " && exec \"$0\" \"$@\""};
  }
};

/// What is wrong, and what is to be found of it.
struct Fault {
  const char* what;
  std::function<void(Plant&)> plant;
  const char* grade;
  const char* check;
  const char* fix;  ///< A part of it.
};

/// Runs the program's doctor with the plant's words.
inline Outcome RunDoctorOf(const Plant& plant, std::vector<std::string> more = {}) {
  std::vector<std::string> words = plant.before;
  words.insert(words.end(), {LONGTAIL_PROGRAM, "doctor", "--timeout", "1.5"});
  words.insert(words.end(), plant.words.begin(), plant.words.end());
  words.insert(words.end(), more.begin(), more.end());
  return test::RunProgram(words);
}

/// Of an answer in JSON.
inline nlohmann::json FindingsOf(const Outcome& outcome) {
  INFO(outcome.said);
  REQUIRE(outcome.said.starts_with("{"));
  return nlohmann::json::parse(outcome.said).at("findings");
}

/// The finding of that grade and check; null if there is none.
inline nlohmann::json Find(const nlohmann::json& findings, const std::string& grade,
                           const std::string& check) {
  for (const nlohmann::json& finding : findings) {
    if (finding.at("grade") == grade && finding.at("check") == check) return finding;
  }
  return {};
}

/// Plants it: the doctor must find it by its check, and say what to do.
inline void CheckFound(const Fault& fault) {
  INFO("planted: " << fault.what);
  Plant plant;
  fault.plant(plant);
  const Outcome outcome = RunDoctorOf(plant, {"--json"});
  const nlohmann::json findings = FindingsOf(outcome);
  const nlohmann::json found = Find(findings, fault.grade, fault.check);
  INFO(findings.dump(1));
  REQUIRE(found.is_object());
  CHECK_FALSE(found.at("seen").get<std::string>().empty());
  CHECK(found.at("fix").get<std::string>().find(fault.fix) != std::string::npos);
  CHECK(outcome.code == (nlohmann::json::parse(outcome.said).at("failed") == 0 ? 0 : 1));
  if (std::string(fault.grade) == "fail") CHECK(outcome.code == 1);
}

}  // namespace longtail::test
