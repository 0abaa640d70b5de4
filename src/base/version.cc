#include "base/version.h"

namespace longtail {

std::string ProgramVersion() {
  return LONGTAIL_VERSION;
}

}  // namespace longtail
