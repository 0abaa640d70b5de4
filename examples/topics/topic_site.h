// A model's answers over HTTP: a page with a search box, and JSON.
//
//   /            the search box; /?q=TEXT: with the answer below it
//   /query?q=TEXT   the answer as JSON; 400 and {"error": …} for a text that has none
//
// Nothing is changed through it, and nothing on a page comes from elsewhere.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "examples/topics/topic_query.h"

namespace longtail::examples {

/// Owns some threads. A request that has not come whole within five seconds, or is larger than 16
/// KiB, is given up; four are dealt with at a time.
class TopicSite {
 public:
  /// Answers until the result is destroyed, on "HOST:PORT" (port 0: any free one). `query` must
  /// outlive it.
  ///
  /// Errors: InvalidArgument (no HOST:PORT); Unavailable naming the address and what the system
  ///         said.
  static absl::StatusOr<std::unique_ptr<TopicSite>> Show(const std::string& listen,
                                                         const TopicQuery& query);

  /// Waits for the answers that are being made.
  virtual ~TopicSite() = default;

  /// HOST:PORT, with the port that the system chose.
  virtual const std::string& address() const = 0;
};

}  // namespace longtail::examples
