// Files of a test, in a directory of its own.
#pragma once

#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>
#include <string>

#include "absl/status/statusor.h"
#include "server/scratch_directory.h"

namespace longtail::examples::test {

/// Writes a file of a directory and returns its path.
inline std::string WriteText(const std::string& directory, const std::string& name,
                             const std::string& text) {
  const std::string path = directory + "/" + name;
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

inline std::string ReadText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

template <typename Value>
Value Have(absl::StatusOr<Value> value) {
  INFO(value.status().ToString());
  REQUIRE(value.ok());
  return *std::move(value);
}

/// A dictionary and a model of words' ends, small enough to follow by hand: 小 begins a word, 王
/// ends one.
inline void WriteSegmenter(const std::string& directory) {
  WriteText(directory, "jieba.dict.utf8",
            "南京 100 ns\n南京市 60 ns\n市长 80 n\n长江 90 ns\n大桥 70 n\n江大桥 1 nr\n"
            "长江大桥 40 ns\n的 500 uj\n人 50 n\n3d 5 n\n");
  WriteText(directory, "hmm_model.utf8",
            "#first\n-0.7 -3.14e+100 -3.14e+100 -0.7\n"
            "#from B, E, M, S\n-3.14e+100 -0.1 -2.3 -3.14e+100\n-0.7 -3.14e+100 -3.14e+100 -0.7\n"
            "-3.14e+100 -0.3 -1.3 -3.14e+100\n-0.7 -3.14e+100 -3.14e+100 -0.7\n"
            "#B\n小:-1\n#E\n王:-1\n#M\n大:-9\n#S\n说:-1,小:-5,王:-5\n");
}

}  // namespace longtail::examples::test
