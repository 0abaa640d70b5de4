// Whether an object in a pool is free to be used again.
#pragma once

#include <memory>

namespace longtail {

/// True if nobody but the caller holds the object; what the others did with it is then over, and
/// seen by this thread. The caller must be the only one who could hand out copies.
template <typename T>
bool IsSoleHolder(const std::shared_ptr<T>& object) {
  if (object.use_count() != 1) return false;
  // use_count is a relaxed load and orders nothing. A copy that comes and goes counts up and down
  // with acquire and release, and so comes after the last holder's letting go.
  std::shared_ptr<T>(object).reset();
  return true;
}

}  // namespace longtail
