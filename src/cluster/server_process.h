// A server: lanes with their threads and sockets, and its word with the coordinator.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/log.h"

namespace longtail {

/// Owns its threads. Thread: any.
class ServerProcess {
 public:
  struct Options {
    std::string coordinator;  ///< As FindCoordinator understands it.
    std::string name{};       ///< Unique in the cluster; empty: the host's name and the process.
    std::uint32_t lanes = 1;  ///< That it leads when the cluster is formed.
    /// It only reads: it follows every lane of a cluster that is formed, and answers pulls of
    /// readers (Cluster::ConnectReader). Lanes, replicas and logs are not its concern then.
    bool is_reader = false;
    /// A reader that may be further behind than so answers no pull.
    absl::Duration behind_max = absl::InfiniteDuration();
    /// Of each lane, as the coordinator's: it has as many places for each of its lanes, the others
    /// for what it follows.
    std::uint32_t replicas = 1;
    /// Lane i listens on the port that follows this one's i times; port 0: any free ones.
    std::string listen = "tcp://127.0.0.1:0";
    /// The host that others are told to connect to; empty: the one it listens on, or for all
    /// interfaces the machine's name.
    std::string advertise{};
    /// A directory for socket files, which workers on the same machine prefer; empty: none.
    std::string ipc_directory{};
    /// The directory of the cluster's keys (io/keyring.h); empty: those named with the coordinator,
    /// or none.
    std::string keys{};
    /// Without keys: it may listen where other machines reach it.
    bool is_plain = false;
    /// "HOST:PORT" of its pages (cluster/process_pages.h), from before it joins on; empty: none.
    std::string admin{};
    std::string store{};  ///< Where snapshots go; the programs that ask for them name the same.
    /// Where its lanes' logs are kept, as OpenHeldStore understands it. What it acknowledges is
    /// durable there, and in those of all replicas; started again under the same name it goes on
    /// with all of it. All servers of a cluster have one, or none. Empty: its rows end with the
    /// process.
    std::string log_store{};
    /// Told once, by any thread, when another process has taken the logs over. This one
    /// acknowledges no change any more: it is to be ended, but not by this call.
    std::function<void(const absl::Status& why)> on_log_lost{};
    /// Behind so many bytes of a lane's log its rows are written out, and the log begins anew.
    std::uint64_t base_after_bytes = std::uint64_t{1} << 30;
    /// For so long its logs keep what they no longer need, so that each moment of that time can be
    /// made again (`longtail ckpt from-log`). 0: not at all.
    absl::Duration keep_log = absl::ZeroDuration();
    absl::Duration join_timeout = absl::Seconds(300);
    std::stop_token stop{};  ///< Start gives up within a second or two when it is requested.
    Log log{};
  };

  /// Listens, joins, and returns once the cluster is formed and the lanes serve.
  ///
  /// Errors: Unavailable (an address); DeadlineExceeded naming the coordinator, or the servers that
  ///         are missing; Cancelled (`stop`); DataLoss (a log is damaged); FailedPrecondition (a
  ///         log is in use, or of another cluster or number of lanes); what the coordinator refuses
  ///         with.
  static absl::StatusOr<std::unique_ptr<ServerProcess>> Start(const Options& options);

  virtual ~ServerProcess() = default;

  virtual const std::string& name() const = 0;

  /// HOST:PORT of its pages; empty: it has none.
  virtual std::string admin_address() const = 0;

  /// The coordinator hears no more of it; it answers on. For one that is about to end.
  virtual void StopPulse() = 0;
};

}  // namespace longtail
