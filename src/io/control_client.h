// Asks nodes for things outside the data path and waits for all of their answers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
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

namespace longtail {

/// Thread: any; one call at a time, the others wait for it.
class ControlClient {
 public:
  /// What a node is called in errors: "lane 3", or more.
  using Describe = std::function<std::string(NodeId node)>;
  using Make = absl::FunctionRef<Message(std::uint64_t request)>;

  explicit ControlClient(std::unique_ptr<Transport> transport, Describe describe = {})
      : transport_(std::move(transport)), describe_(std::move(describe)) {}

  /// From now on who says Unavailable is asked again soon, until the time is over: lanes whose
  /// leader changes say so. And all who have not answered are, once the transport says that there
  /// are other leaders. But not for a SnapshotRequest, which may have been begun: of a lane that
  /// another leads now it is answered with Aborted, whatever became of it, since the old leader's
  /// own answer may have gone with the connection. (Who took over just then may have been asked
  /// all the same, and write on.) `map`: what the transport begins with.
  void FollowLeaders(std::shared_ptr<const ClusterMap> map) { map_ = std::move(map); }

  /// Sends make(n) to each node and gives their answers in the order of `nodes`; a node that is
  /// silent is asked again every `resend_after`, which only what may be repeated should have.
  ///
  /// Errors: DeadlineExceeded naming `what` and the node that is silent; InvalidArgument naming a
  ///         node that does not understand us; the first answer's status that is not OK.
  template <typename Reply>
  absl::StatusOr<std::vector<Reply>> Ask(const char* what, std::span<const NodeId> nodes,
                                         absl::Duration timeout, Make make,
                                         absl::Duration resend_after = absl::InfiniteDuration()) {
    absl::StatusOr<std::vector<Message>> answers = AskAll(what, nodes, timeout, make, resend_after);
    if (!answers.ok()) return answers.status();
    std::vector<Reply> replies;
    for (Message& answer : *answers) {
      if (auto* const refusal = std::get_if<Acknowledgement>(&answer);
          refusal != nullptr && !refusal->status.ok()) {
        return refusal->status;
      }
      auto* const reply = std::get_if<Reply>(&answer);
      if (reply == nullptr) return absl::InternalError("a node answered with another message");
      if (!reply->status.ok()) return reply->status;
      replies.push_back(std::move(*reply));
    }
    return replies;
  }

  /// From now on maps that come unasked while it waits go there. Before the first call.
  void GiveMaps(std::function<void(const MapReply& news)> take) { take_map_ = std::move(take); }

  Transport& transport() { return *transport_; }

 private:
  absl::StatusOr<std::vector<Message>> AskAll(const char* what, std::span<const NodeId> nodes,
                                              absl::Duration timeout, Make make,
                                              absl::Duration resend_after);
  void TakeNews(const MapReply& news);
  std::string NameOf(NodeId node) const;

  Mutex mutex_;
  const std::unique_ptr<Transport> transport_;
  const Describe describe_;
  std::shared_ptr<const ClusterMap> map_;  // The newest that the transport told of; null: none.
  std::function<void(const MapReply& news)> take_map_;
  std::uint64_t next_request_ ABSL_GUARDED_BY(mutex_) = 1;
};

}  // namespace longtail
