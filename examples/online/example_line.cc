#include "examples/online/example_line.h"

#include <vector>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace longtail::examples {

std::string LineOf(const Example& example) {
  return absl::StrCat(example.joined_ms, "\t", example.is_click ? 1 : 0, "\t", example.id, "\t",
                      example.at_ms, "\t", absl::StrJoin(example.features, "\t"));
}

absl::StatusOr<Example> ParseExample(std::string_view line) {
  const std::vector<std::string> words = absl::StrSplit(std::string(line), '\t');
  Example example;
  if (words.size() < 5 || !absl::SimpleAtoi(words[0], &example.joined_ms) ||
      (words[1] != "0" && words[1] != "1") || !absl::SimpleAtoi(words[3], &example.at_ms)) {
    return absl::DataLossError(absl::StrCat("an example: '", std::string(line.substr(0, 80)), "'"));
  }
  example.is_click = words[1] == "1";
  example.id = words[2];
  example.features.assign(words.begin() + 4, words.end());
  return example;
}

std::uint64_t DigestAfter(std::uint64_t digest, std::string_view line) {
  return XXH3_64bits_withSeed(line.data(), line.size(), digest);
}

}  // namespace longtail::examples
