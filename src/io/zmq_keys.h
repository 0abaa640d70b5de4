// Keys on ZeroMQ's sockets, and what becomes of a connection with them.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "io/keyring.h"
#include "io/zmq_socket.h"

namespace longtail {

/// What the socket binds from here on wants a key of who connects; it shows the cluster's.
void ListenWith(const Keyring& keys, ZmqSocket& socket);

/// What the socket connects to from here on must have the cluster's key; it shows its own.
void ConnectWith(const Keyring& keys, ZmqSocket& socket);

/// Connects once, and says what comes of it: whether the keys are the reason that nobody answers.
/// Takes at most `timeout`.
std::string ProbeKeys(void* context, const Keyring& keys, const std::string& address,
                      absl::Duration timeout);

}  // namespace longtail
