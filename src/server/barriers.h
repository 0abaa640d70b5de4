// Places where the processes of one training meet, by name.
//
// They live in the coordinator's memory alone: who waits asks again, so a coordinator that is
// started again collects them anew.
//
// Threads: not thread-safe. Part of the coordinator's core.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "absl/container/btree_map.h"
#include "protocol/messages.h"
#include "protocol/step.h"

namespace longtail::server {

class Barriers {
 public:
  /// Someone comes, or asks again. All are answered once as many as they want are there; who asks
  /// again afterwards is let through, and another begins the barrier anew.
  void Enter(NodeId source, const EnterBarrier& m, Effects& effects);

 private:
  struct Asker {
    NodeId source{};
    std::uint64_t request = 0;
  };
  struct Barrier {
    std::uint32_t count = 0;
    absl::btree_map<std::uint64_t, Asker> here;  // By participant.
    bool is_passed = false;
  };

  static void Answer(const Asker& asker, absl::Status status, Effects& effects);

  absl::btree_map<std::string, Barrier> barriers_;
  std::deque<std::string> passed_;  // Oldest first.
};

}  // namespace longtail::server
