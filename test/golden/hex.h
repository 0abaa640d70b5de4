// Bytes as hexadecimal text: two digits a byte, white space between, a line that begins with # is
// for people.
#pragma once

#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

namespace longtail::test {

/// The whole of a file; empty if it cannot be read.
inline std::string FileText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline std::string BytesOfHex(const std::string& text) {
  std::string bytes;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    for (std::string word; words >> word;) {
      bytes.push_back(static_cast<char>(std::stoi(word, nullptr, 16)));
    }
  }
  return bytes;
}

inline std::string HexOfBytes(const std::string& bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  static constexpr std::size_t kBytesPerLine = 16;
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
    text += i + 1 == bytes.size() || (i + 1) % kBytesPerLine == 0 ? '\n' : ' ';
  }
  return text;
}

}  // namespace longtail::test
