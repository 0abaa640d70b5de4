// A cluster of processes on this machine, in the background, that one directory is about:
//
//   cluster        the coordinator's address: what programs join it by
//   logs/NAME.log  what the process NAME says
//   run/NAME.pid   which process that is
//   state/ ipc/    the coordinator's state; socket files
//   store/         checkpoints, if no other place is named
//   log/           what servers acknowledged, if they keep logs
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace longtail::cli {

inline constexpr const char* kLocalClusterDirectory = "longtail-cluster";

/// The file that programs join the cluster by.
std::string LocalClusterFile(const std::string& directory);

struct LocalClusterOptions {
  std::string directory = kLocalClusterDirectory;
  std::uint32_t servers = 1;
  std::uint32_t lanes = 1;  ///< Of each server.
  std::uint32_t partitions = 64;
  std::uint32_t workers = 1;
  std::uint32_t replicas = 1;  ///< Of each lane.
  std::string step_mode{};
  std::uint32_t staleness = 0;  ///< Of bounded steps.
  std::string store{};          ///< Empty: within the directory.
  bool keeps_logs = false;      ///< Servers come back with what they acknowledged.
  std::string keep_log{};       ///< As `serve --keep-log`; empty: not given.
  absl::Duration timeout = absl::Seconds(60);
};

/// Starts a coordinator and servers, waits until they are a cluster, and says what to do next.
/// A new cluster: the rows of one that was there before went with its servers. With logs it is the
/// one that was there, if there was one, and those of it that live go on: what does not run is
/// started. After an error none of those started runs.
///
/// Errors: FailedPrecondition (without logs: a cluster of this directory is alive, or has logs);
///         DeadlineExceeded (who is
///         missing); Unavailable (who ended, and its last words). Needs a process of one thread.
absl::StatusOr<std::string> StartLocalCluster(const LocalClusterOptions& options);

/// Ends its processes: SIGTERM, and SIGKILL for those that live on after `patience`. Says what
/// became of each.
///
/// Errors: NotFound (no cluster was started in this directory).
absl::StatusOr<std::string> EndLocalCluster(const std::string& directory, absl::Duration patience);

}  // namespace longtail::cli
