// A process's pages over HTTP, for probes, for who collects metrics and for people. They only show:
// nothing is changed through them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace longtail {

/// Owns some threads. A request that has not come whole within five seconds, or is larger than
/// 16 KiB, is given up; four are dealt with at a time.
class AdminHttp {
 public:
  struct Answer {
    int code = 200;
    std::string type = "text/plain; charset=utf-8";
    std::string body{};
  };
  /// Thread: any, several at a time.
  using Page = std::function<Answer()>;
  /// By path: "/metrics".
  using Pages = std::map<std::string, Page>;

  /// Answers from now on, on "HOST:PORT" (port 0: any free one; host 0.0.0.0: every interface).
  ///
  /// Errors: InvalidArgument (no HOST:PORT); Unavailable naming the address and what the system
  ///         said.
  static absl::StatusOr<std::unique_ptr<AdminHttp>> Start(const std::string& listen, Pages pages);

  /// Waits for the pages that are being made.
  virtual ~AdminHttp() = default;

  /// HOST:PORT, with the port that the system chose.
  virtual const std::string& address() const = 0;
};

}  // namespace longtail
