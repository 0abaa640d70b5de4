// Named figures of a benchmark, and checks that decide its exit status.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

namespace longtail::bench {

inline double Seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// The q-quantile of values, 0 <= q <= 1; there must be one.
inline double Quantile(std::vector<double> values, double q) {
  const auto at = static_cast<std::size_t>(q * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
  return values[at];
}

using Figures = std::map<std::string, double>;

/// What a wanted value is to a figure.
enum class Bound { kLeast, kMost };

/// Prints how each check NAME=VALUE came out; whether all hold.
inline bool Check(const Figures& figures, const std::vector<std::string>& checks, Bound bound) {
  bool holds = true;
  for (const std::string& check : checks) {
    const std::size_t equals = check.find('=');
    const auto figure = figures.find(check.substr(0, equals));
    if (equals == std::string::npos || figure == figures.end()) {
      std::printf("check '%s': no such figure\n", check.c_str());
      return false;
    }
    const double wanted = std::stod(check.substr(equals + 1));
    const bool is_least = bound == Bound::kLeast;
    const bool is_met = is_least ? figure->second >= wanted : figure->second <= wanted;
    holds = holds && is_met;
    std::printf("%s %.3f, wanted at %s %.3f: %s\n", figure->first.c_str(), figure->second,
                is_least ? "least" : "most", wanted, is_met ? "met" : "NOT MET");
  }
  return holds;
}

/// Prints the figures, then the checks; whether all hold.
inline bool Report(const Figures& figures, const std::vector<std::string>& checks, Bound bound) {
  for (const auto& [name, value] : figures) std::printf("  %-24s %10.3f\n", name.c_str(), value);
  return Check(figures, checks, bound);
}

}  // namespace longtail::bench
