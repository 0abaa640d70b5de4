// Runs a fuzz target over given files, and over each cut short and with bytes changed, with any
// compiler.
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <string>

#include "golden/hex.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

// A copy of just its size lets a sanitizer see a read past the end.
void RunOne(const std::string& bytes) {
  const std::string copy(bytes);
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(copy.data()), copy.size());
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    std::cerr << "usage: replay FILE…  (FILE.hex is read as hexadecimal text)\n";
    return 2;
  }
  std::size_t runs = 0;
  for (int i = 1; i < count; ++i) {
    const std::string path = arguments[i];
    const std::string text = longtail::test::FileText(path);
    const std::string bytes = path.ends_with(".hex") ? longtail::test::BytesOfHex(text) : text;
    if (bytes.empty()) {
      std::cerr << path << ": empty or unreadable\n";
      return 1;
    }
    RunOne(bytes);
    constexpr std::size_t kPlacesMax = 1000;
    const std::size_t stride = bytes.size() / kPlacesMax + 1;
    for (std::size_t at = 0; at < bytes.size(); at += stride) {
      RunOne(bytes.substr(0, at));
      for (const int value : {0x00, 0x7F, 0xFF, bytes[at] ^ 0x01}) {
        std::string changed = bytes;
        changed[at] = static_cast<char>(value);
        RunOne(changed);
        ++runs;
      }
    }
  }
  std::cout << count - 1 << " files, " << runs << " changes of them: no fault\n";
  return 0;
}
