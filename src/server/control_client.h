// Asks lanes for things outside the data path and waits for all of their answers.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <variant>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "io/transport.h"
#include "protocol/messages.h"

namespace longtail::server {

/// Thread: any; one call at a time, the others wait for it.
class ControlClient {
 public:
  explicit ControlClient(std::unique_ptr<Transport> transport) : transport_(std::move(transport)) {}

  using Make = absl::FunctionRef<Message(std::uint64_t request)>;

  /// Sends make(n) to each lane and gives their answers in the order of `lanes`.
  ///
  /// Errors: DeadlineExceeded naming `what` and the lane that is silent; the first answer's status
  ///         that is not OK.
  template <typename Reply>
  absl::StatusOr<std::vector<Reply>> Ask(const char* what, std::span<const NodeId> lanes,
                                         absl::Duration timeout, Make make) {
    absl::StatusOr<std::vector<Message>> answers = AskAll(what, lanes, timeout, make);
    if (!answers.ok()) return answers.status();
    std::vector<Reply> replies;
    for (Message& answer : *answers) {
      auto* const reply = std::get_if<Reply>(&answer);
      if (reply == nullptr) return absl::InternalError("a lane answered with another message");
      if (!reply->status.ok()) return reply->status;
      replies.push_back(std::move(*reply));
    }
    return replies;
  }

 private:
  absl::StatusOr<std::vector<Message>> AskAll(const char* what, std::span<const NodeId> lanes,
                                              absl::Duration timeout, Make make);

  Mutex mutex_;
  const std::unique_ptr<Transport> transport_;
  std::uint64_t next_request_ ABSL_GUARDED_BY(mutex_) = 1;
};

}  // namespace longtail::server
