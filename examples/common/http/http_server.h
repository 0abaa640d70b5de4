// Answers to GET and HEAD over HTTP, by one function: what the examples' sites and predictions are
// shown by. It is for what reads: other methods are refused.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace longtail::examples {

struct HttpServerOptions {
  std::string listen;            ///< "HOST:PORT"; port 0: any free one; 0.0.0.0: every interface.
  std::string name = "address";  ///< What errors call it.
  int threads = 4;               ///< So many requests are dealt with at a time.
  bool keeps_alive = false;      ///< Whether a connection serves more than one request.

  /// What a browser is to allow the page: a Content-Security-Policy.
  std::string policy = "default-src 'none'; frame-ancestors 'none'";
};

/// Owns some threads. A request that has not come whole within five seconds, or is larger than
/// 16 KiB, is given up.
class HttpServer {
 public:
  struct Request {
    std::string path;   ///< "/metrics".
    std::string query;  ///< What follows "?", as it came; empty if nothing does.
  };
  struct Answer {
    int code = 200;
    std::string type = "text/plain; charset=utf-8";
    std::string body{};
  };
  /// Thread: any, several at a time; each call has a thread of its own, with a whole stack.
  using Handler = std::function<Answer(const Request&)>;

  /// Answers from now on.
  ///
  /// Errors: InvalidArgument (no HOST:PORT); Unavailable naming the address and what the system
  ///         said.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(const HttpServerOptions& options,
                                                           Handler handler);

  /// Waits for the answers that are being made.
  virtual ~HttpServer() = default;

  /// HOST:PORT, with the port that the system chose.
  virtual const std::string& address() const = 0;
};

/// The names and values of a query, "a=1&b=%20", decoded, in their order; a part without "=" has an
/// empty value.
///
/// Errors: InvalidArgument naming the part that cannot be decoded.
absl::StatusOr<std::vector<std::pair<std::string, std::string>>> QueryParts(std::string_view query);

}  // namespace longtail::examples
