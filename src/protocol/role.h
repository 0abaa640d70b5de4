// What a key may do: roles, and which messages each may send.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "protocol/messages.h"

namespace longtail {

/// Each may do what the one before it may.
enum class Role : std::uint8_t {
  kReader,    ///< Pulls rows.
  kWorker,    ///< Trains: tables, sessions, pushes, checkpoints.
  kOperator,  ///< Moves lanes, drains servers, rolls back.
  kServer,    ///< Is part of the cluster: the holder of its own key.
};

/// By number: as they are written in a list of clients. The last is not: no client has it.
inline constexpr std::array<std::string_view, 4> kRoleNames = {"reader", "worker", "operator",
                                                               "server"};

constexpr std::string_view RoleName(Role role) {
  return kRoleNames[static_cast<std::size_t>(role)];
}

/// The role that may send such a message, and those above it may, too. Answers are for those who
/// were asked, which no client is: a server's.
Role RoleToSend(const Message& message);

}  // namespace longtail
