// Roles of replicas by name: in logs, metrics and answers.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "protocol/cluster_map.h"

namespace longtail {

/// By ReplicaRole's number: append only.
inline constexpr std::array<std::string_view, 6> kReplicaRoleNames = {
    "leader", "follower", "joining", "none", "successor", "reader"};

constexpr std::string_view ReplicaRoleName(ReplicaRole role) {
  return kReplicaRoleNames[static_cast<std::size_t>(role)];
}

}  // namespace longtail
