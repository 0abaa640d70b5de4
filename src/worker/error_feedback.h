// What rounding takes from pushed gradients, kept by key and added to the key's next gradient.
//
//     sent = round(gradient + kept)        kept = gradient + kept - sent
//
// So what a server was sent over many pushes is the sum of the gradients, less what one rounding
// lost. The difference of a float and its rounded value is a float: nothing else is lost but for
// the rounding of the sum itself.
//
// Memory is bounded. When it is full, a key that was not pushed for long makes room: what was kept
// for it is lost, and counted.
//
// Source: Seide, Fu, Droppo, Li, Yu, "1-Bit Stochastic Gradient Descent and Its Application to
//         Data-Parallel Distributed Training of Speech DNNs", Interspeech 2014, section 3.
//
// Threads: not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "longtail/ids.h"
#include "longtail/row_format.h"

namespace longtail {

class ErrorFeedback {
 public:
  explicit ErrorFeedback(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  /// Packs a table's gradients (protocol/value_codec.h), each with what is kept for its key, and
  /// keeps what that rounds off. A row that is not finite is packed so, and what is kept for it
  /// stays: whoever gets it refuses all of the row.
  ///
  /// Shapes: keys [n], each once; gradients [n, dim]; packed [n * PackedRowBytes(format, dim)].
  /// Cost:   a look-up a key; no allocation once every key is known, or there is no more room.
  void Pack(WireValues format, TableId table, std::uint32_t dim, std::span<const Key> keys,
            std::span<const float> gradients, std::byte* packed);

  /// Bytes of memory in use, about; at most those given.
  std::size_t bytes() const { return bytes_; }

  /// Rows of which what was kept is lost, for want of room.
  std::uint64_t dropped() const { return dropped_; }

 private:
  static constexpr std::size_t kRowsPerBlock = 256;
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  // Rows of one table. A clock's hand goes round them to find one that makes room.
  struct Rows {
    std::uint32_t dim = 0;
    absl::flat_hash_map<Key, std::uint32_t> slots;
    std::vector<Key> keys;                         // By slot.
    std::vector<std::uint8_t> is_used;             // By slot: since the hand was there.
    std::vector<std::unique_ptr<float[]>> blocks;  // Of kRowsPerBlock rows each.
    std::size_t hand = 0;

    float* Row(std::uint32_t slot) {
      return blocks[slot / kRowsPerBlock].get() + slot % kRowsPerBlock * std::size_t{dim};
    }
  };

  std::uint32_t Find(Rows& rows, Key key);
  std::uint32_t MakeRoom(Rows& rows, Key key);

  const std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::uint64_t dropped_ = 0;
  std::map<TableId, Rows> tables_;
  // Of one call: what is sent, before and after it was rounded, and the slots of its keys.
  std::vector<float> wanted_;
  std::vector<float> sent_;
  std::vector<std::uint32_t> slots_;
};

}  // namespace longtail
