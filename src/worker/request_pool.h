// Requests that are used again once nobody holds them, so that a warm call allocates nothing.
//
// Threads: not thread-safe; the owner locks.
#pragma once

#include <memory>
#include <vector>

#include "base/sole_holder.h"

namespace longtail {

/// Takes an object that only its pool holds, or makes one.
template <typename T>
std::shared_ptr<T> TakeIdle(std::vector<std::shared_ptr<T>>& pool) {
  for (const std::shared_ptr<T>& idle : pool) {
    if (IsSoleHolder(idle)) return idle;
  }
  pool.push_back(std::make_shared<T>());
  return pool.back();
}

/// T is a request with `sections` and `owners`, or a struct that derives from one.
template <typename T>
class RequestPool {
 public:
  /// A request that nobody else holds, with empty sections and owners.
  std::shared_ptr<T> Take() {
    for (const std::shared_ptr<T>& request : all_) {
      if (IsSoleHolder(request)) {
        request->sections.clear();
        request->owners.clear();
        return request;
      }
    }
    all_.push_back(std::make_shared<T>());
    return all_.back();
  }

  /// Lets go of what idle requests keep alive.
  void ReleaseOwners() {
    for (const std::shared_ptr<T>& request : all_) {
      if (!IsSoleHolder(request)) continue;
      request->owners.clear();
      if constexpr (requires { request->sink; }) request->sink.reset();
    }
  }

 private:
  std::vector<std::shared_ptr<T>> all_;
};

}  // namespace longtail
