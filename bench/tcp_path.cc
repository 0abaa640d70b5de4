// The limit: the same bytes over a TCP socket, written and read where they lie.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <thread>

#include "base/check.h"
#include "bench/wire_path.h"

namespace longtail::bench {
namespace {

void SendAtOnce(int socket) {
  const int one = 1;
  LONGTAIL_CHECK(setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == 0);
}

bool ReadAll(int socket, char* to, std::size_t size) {
  while (size > 0) {
    const ssize_t got = read(socket, to, size);
    if (got <= 0) return false;
    to += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

bool WriteAll(int socket, const char* from, std::size_t size) {
  while (size > 0) {
    const ssize_t put = send(socket, from, size, MSG_NOSIGNAL);
    if (put <= 0) return false;
    from += put;
    size -= static_cast<std::size_t>(put);
  }
  return true;
}

void Answer(int socket) {
  SendAtOnce(socket);
  std::vector<char> in;
  std::vector<char> out;
  Ask ask;
  while (ReadAll(socket, reinterpret_cast<char*>(&ask), sizeof(ask))) {
    const Shape shape = ShapeOf(ask);
    if (in.size() < shape.RequestBytes()) in.resize(shape.RequestBytes());
    const std::size_t reply = sizeof(ask) + shape.ReplyBytes();
    if (out.size() < reply) out.resize(reply);
    if (!ReadAll(socket, in.data(), shape.RequestBytes())) return;
    if (!WriteAll(socket, out.data(), reply)) return;
  }
}

// One thread: it writes what the socket takes and reads what has come, so that neither end waits
// for the other to read.
class TcpPath final : public WirePath {
 public:
  TcpPath(int socket, Workload& load) : socket_(socket), load_(load) {
    request_.resize(Shape{true, load.counts().size(), load.dim()}.RequestBytes());
  }
  ~TcpPath() override { close(socket_); }

  void Start(const Shape& shape, std::size_t number) override {
    asks_.push_back(AskOf(shape));
    unsent_.push_back({reinterpret_cast<const char*>(&asks_.back()), sizeof(Ask)});
    unsent_.push_back({request_.data(), shape.RequestBytes()});
    replies_.push_back({number, sizeof(Ask), shape.ReplyBytes()});
    Write();
  }

  void Finish() override {
    while (true) {
      Write();
      Reply& reply = replies_.front();
      if (!Read(reply)) {
        pollfd wait{.fd = socket_, .events = POLLIN, .revents = 0};
        if (!unsent_.empty()) wait.events |= POLLOUT;
        poll(&wait, 1, -1);
        continue;
      }
      replies_.pop_front();
      asks_.pop_front();
      return;
    }
  }

 private:
  struct Piece {
    const char* data;
    std::size_t size;
  };
  struct Reply {
    std::size_t number;
    std::size_t head_left;
    std::size_t rows_left;
    std::size_t rows_read = 0;
  };

  void Write() {
    while (!unsent_.empty()) {
      Piece& piece = unsent_.front();
      const int more = unsent_.size() > 1 ? MSG_MORE : 0;
      const ssize_t put = send(socket_, piece.data, piece.size, MSG_NOSIGNAL | MSG_DONTWAIT | more);
      if (put < 0) {
        LONGTAIL_CHECK(errno == EAGAIN);
        return;
      }
      piece.data += put;
      piece.size -= static_cast<std::size_t>(put);
      if (piece.size == 0) unsent_.pop_front();
    }
  }

  // True once all of the reply is there.
  bool Read(Reply& reply) {
    char* const rows = reinterpret_cast<char*>(load_.Rows(reply.number));
    while (reply.head_left + reply.rows_left > 0) {
      const bool is_head = reply.head_left > 0;
      char head[sizeof(Ask)];
      const ssize_t got = recv(socket_, is_head ? head : rows + reply.rows_read,
                               is_head ? reply.head_left : reply.rows_left, MSG_DONTWAIT);
      if (got < 0) {
        LONGTAIL_CHECK(errno == EAGAIN);
        return false;
      }
      LONGTAIL_CHECK(got > 0);
      const auto size = static_cast<std::size_t>(got);
      if (is_head) {
        reply.head_left -= size;
      } else {
        reply.rows_left -= size;
        reply.rows_read += size;
      }
    }
    return true;
  }

  const int socket_;
  Workload& load_;
  std::vector<char> request_;
  std::deque<Ask> asks_;
  std::deque<Piece> unsent_;
  std::deque<Reply> replies_;
};

}  // namespace

std::string ServeTcp() {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  LONGTAIL_CHECK(bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0);
  LONGTAIL_CHECK(listen(listener, 1) == 0);
  LONGTAIL_CHECK(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  std::thread([listener] { Answer(accept(listener, nullptr, nullptr)); }).detach();
  return std::to_string(ntohs(address.sin_port));
}

std::unique_ptr<WirePath> ConnectTcp(const std::string& address, Workload& load) {
  const int connected = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address)));
  LONGTAIL_CHECK(connect(connected, reinterpret_cast<sockaddr*>(&to), sizeof(to)) == 0);
  SendAtOnce(connected);
  return std::make_unique<TcpPath>(connected, load);
}

}  // namespace longtail::bench
