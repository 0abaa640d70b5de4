// A hidden Markov model of where Chinese words begin and end, for words that no dictionary has.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "examples/topics/utf8.h"

namespace longtail::examples {

/// Each character begins a word (B), ends one (E), is within one (M) or is one (S).
///
/// Thread: any, once it is loaded.
class SegmentModel {
 public:
  /// Reads the model as cppjieba has it: logarithms of the first state's probabilities, of the
  /// transitions, and of the characters in each state; plain or compressed.
  ///
  /// Errors: NotFound; InvalidArgument naming file, line and what is wrong with it.
  static absl::StatusOr<SegmentModel> Load(const std::string& path);

  /// Appends to `ends` where the likeliest words of `runes` end, in characters from the first.
  ///
  /// Source: Viterbi, "Error Bounds for Convolutional Codes", IEEE Trans. Information Theory 1967.
  void Cut(std::span<const Rune> runes, std::vector<std::size_t>& ends) const;

 private:
  static constexpr std::size_t kStates = 4;  // B, E, M, S, as the file has them.

  std::array<double, kStates> start_{};
  std::array<std::array<double, kStates>, kStates> transition_{};  // [from][to]
  std::array<absl::flat_hash_map<char32_t, double>, kStates> emission_;
};

}  // namespace longtail::examples
