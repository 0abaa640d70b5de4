// A coordinator with its thread, its socket and the place of its state.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "base/log.h"
#include "server/coordinator_core.h"

namespace longtail {

/// Owns its threads. Thread: any.
class CoordinatorProcess {
 public:
  struct Options {
    server::CoordinatorCore::Options cluster;
    std::string listen = "tcp://127.0.0.1:0";
    std::string keys{};     ///< The directory of the cluster's keys (io/keyring.h); empty: none.
    bool is_plain = false;  ///< Without keys: it may listen where other machines reach it.
    /// "HOST:PORT" of its pages (cluster/process_pages.h); empty: none.
    std::string admin{};
    /// Where its state is, as OpenMetaStore understands it; a coordinator that finds state there
    /// goes on with it. Empty: none is kept, and the cluster ends with the coordinator.
    std::string state{};
    /// Told once, by any thread, when another coordinator has taken the state over. This one
    /// changes nothing any more: it is to be ended, but not by this call.
    std::function<void(const absl::Status& why)> on_state_lost{};
    Log log{};
  };

  /// Errors: Unavailable (the address); InvalidArgument, FailedPrecondition (options that are wrong
  ///         or differ from the state's; another process uses the state); DataLoss (the state is
  ///         damaged), naming the file.
  static absl::StatusOr<std::unique_ptr<CoordinatorProcess>> Start(const Options& options);

  virtual ~CoordinatorProcess() = default;

  /// Where others reach it, with the port that the system chose.
  virtual const std::string& address() const = 0;

  /// HOST:PORT of its pages; empty: it has none.
  virtual std::string admin_address() const = 0;
};

}  // namespace longtail
