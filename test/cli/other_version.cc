// The program with another version: what a test links before the library that has the real one.
#include "base/version.h"

namespace longtail {

std::string ProgramVersion() {
  return "9.9.9";
}

}  // namespace longtail
