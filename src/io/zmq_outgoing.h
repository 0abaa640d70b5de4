// A message on its way out: its frame in pieces, kept until ZeroMQ has sent the last of them.
#pragma once

#include <zmq.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "io/unsent_queue.h"
#include "protocol/messages.h"
#include "protocol/wire.h"

namespace longtail {

/// What tells a large request from others while it exists; null for other messages.
inline const void* IdentityOf(const Message& message) {
  return std::visit(
      [](const auto& body) -> const void* {
        if constexpr (requires { body.get(); }) {
          return body.get();
        } else {
          return nullptr;
        }
      },
      message);
}

class ZmqOutgoing {
 public:
  explicit ZmqOutgoing(Message message) : message_(std::move(message)) {
    EncodeInPieces(message_, kArrayBytesMin, text_, pieces_);
    for (const FramePiece& piece : pieces_) bytes_ += piece.size + piece.array.size();
  }

  std::size_t bytes() const { return bytes_; }

  /// Sends `outgoing` as the parts of a message whose first part, the peer's name, is sent. Its
  /// memory is freed, and it leaves `unsent`, when ZeroMQ is done with it.
  ///
  /// Returns: false if the peer is gone; nothing more is then sent.
  static bool Send(std::unique_ptr<ZmqOutgoing> outgoing, std::shared_ptr<UnsentQueue> unsent,
                   void* socket) {
    std::vector<std::span<const std::byte>> parts;
    for (const FramePiece& piece : outgoing->pieces_) {
      if (piece.size > 0) {
        parts.push_back(std::as_bytes(std::span(outgoing->text_)).subspan(piece.begin, piece.size));
      }
      if (!piece.array.empty()) parts.push_back(piece.array);
    }
    outgoing->unsent_ = std::move(unsent);
    outgoing->unsent_->Add(IdentityOf(outgoing->message_), outgoing->bytes_);
    outgoing->parts_left_.store(parts.size(), std::memory_order_relaxed);
    ZmqOutgoing* const hold = outgoing.release();  // The parts own it.
    bool sent = true;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      zmq_msg_t part;
      // ZeroMQ only reads; its interface has no const.
      void* const data = const_cast<std::byte*>(parts[i].data());
      if (zmq_msg_init_data(&part, data, parts[i].size(), &PartDone, hold) != 0) {
        PartDone(data, hold);
        sent = false;
        continue;
      }
      const int flags = ZMQ_DONTWAIT | (i + 1 < parts.size() ? ZMQ_SNDMORE : 0);
      if (!sent || zmq_msg_send(&part, socket, flags) < 0) {
        zmq_msg_close(&part);  // Calls PartDone.
        sent = false;
      }
    }
    return sent;
  }

 private:
  // Smaller arrays are copied: a part of its own costs more than that.
  static constexpr std::size_t kArrayBytesMin = 16 << 10;

  static void PartDone(void*, void* hold) {
    auto* const outgoing = static_cast<ZmqOutgoing*>(hold);
    if (outgoing->parts_left_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    outgoing->unsent_->Remove(IdentityOf(outgoing->message_), outgoing->bytes_);
    delete outgoing;
  }

  const Message message_;  // Owns the arrays.
  std::string text_;
  std::vector<FramePiece> pieces_;
  std::size_t bytes_ = 0;
  std::shared_ptr<UnsentQueue> unsent_;
  std::atomic<std::size_t> parts_left_{0};
};

}  // namespace longtail
