// Keys on ZeroMQ's sockets.
#pragma once

#include "io/key_choice.h"
#include "io/keyring.h"
#include "io/zmq_socket.h"

namespace longtail {

/// What the socket binds from here on wants a key of who connects; it shows `cluster`'s.
void ListenWith(const KeyPair& cluster, ZmqSocket& socket);

/// What the socket connects to from here on must have the cluster's key; it shows its own.
void ConnectWith(const Credentials& keys, ZmqSocket& socket);

}  // namespace longtail
