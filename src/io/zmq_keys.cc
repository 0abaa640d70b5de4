#include "io/zmq_keys.h"

#include <zmq.h>

#include <string>

namespace longtail {
namespace {

// Any: with an empty one, some versions of ZeroMQ ask nobody.
constexpr char kDomain[] = "longtail";

}  // namespace

void ListenWith(const KeyPair& cluster, ZmqSocket& socket) {
  socket.Set(ZMQ_ZAP_DOMAIN, std::string(kDomain));
  socket.Set(ZMQ_CURVE_SERVER, 1);
  socket.Set(ZMQ_CURVE_SECRETKEY, cluster.secret_key);
}

void ConnectWith(const Credentials& keys, ZmqSocket& socket) {
  socket.Set(ZMQ_CURVE_SERVERKEY, keys.cluster_key);
  socket.Set(ZMQ_CURVE_PUBLICKEY, keys.own.public_key);
  socket.Set(ZMQ_CURVE_SECRETKEY, keys.own.secret_key);
}

}  // namespace longtail
