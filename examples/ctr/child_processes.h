// Processes that this one starts as copies of itself, before it has any threads.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace longtail::examples {

/// Thread: one. Ends those that still run when it goes.
class ChildProcesses {
 public:
  /// Starts `count` children; child i runs job(i) with its output in the file
  /// `directory`/process-(i+1).log and exits with 0 if it gave true. A child ends when this process
  /// does.
  ///
  /// Errors: ResourceExhausted (no more processes); Unavailable (directory or file).
  static absl::StatusOr<ChildProcesses> Start(std::uint32_t count, const std::string& directory,
                                              const std::function<bool(std::uint32_t)>& job);

  ChildProcesses(ChildProcesses&& other) noexcept;
  ChildProcesses& operator=(ChildProcesses&&) = delete;
  ~ChildProcesses();

  /// Waits for all to end; each of them has deadlines of its own.
  ///
  /// Errors: Internal naming a child that failed, and its log.
  absl::Status Wait();

 private:
  explicit ChildProcesses(std::string directory) : directory_(std::move(directory)) {}
  std::string LogOf(std::size_t child) const;

  std::string directory_;
  std::vector<pid_t> pids_;  // 0: it has ended.
};

}  // namespace longtail::examples
