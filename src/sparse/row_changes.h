// Which rows of a store changed since a moment: a bit a place, and the keys whose rows went.
//
// It is no state of a table: nothing that a table does depends on it. Keys that went are kept up to
// an eighth of the rows there are; beyond that nothing is known any more, and nothing is kept.
//
// Thread: one owner, the store's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/functional/function_ref.h"
#include "sparse/row_store.h"

namespace longtail::sparse {

class RowChanges {
 public:
  /// Before a row changes.
  ///
  /// Cost: a bit.
  void Change(const RowStore& store, std::uint32_t row) {
    Set(changed_[store.IsTail(row) ? 1 : 0], store.NumberOf(row));
  }

  /// Once a row that was free has its key.
  void Create(const RowStore& store, std::uint32_t row);

  /// Before a row is freed.
  void Free(const RowStore& store, std::uint32_t row);

  /// Takes in the changes of `older`, which ended where these began. `has_row` says which keys have
  /// a row now.
  void Prepend(const RowChanges& older, const RowStore& store,
               absl::FunctionRef<bool(Key key)> has_row);

  /// False if too many keys went.
  bool is_whole() const { return is_whole_; }

  /// Bit n % 64 of word n / 64 for the row of number n in its format, if it is taken now: whether
  /// it is another than it was. Words at the end may be missing: they are zero.
  const std::vector<std::uint64_t>& changed(bool is_tail) const {
    return changed_[is_tail ? 1 : 0];
  }

  /// Keys that had a row then, or may have had one, and have none now.
  const absl::btree_set<Key>& gone() const { return gone_; }

 private:
  using Bits = std::vector<std::uint64_t>;

  static void Set(Bits& bits, std::uint32_t number) {
    if (number / 64 >= bits.size()) [[unlikely]]
      bits.resize(number / 64 + 1);
    bits[number / 64] |= std::uint64_t{1} << (number % 64);
  }
  static void Clear(Bits& bits, std::uint32_t number) {
    if (number / 64 < bits.size()) bits[number / 64] &= ~(std::uint64_t{1} << (number % 64));
  }
  static bool Has(const Bits& bits, std::uint32_t number) {
    return number / 64 < bits.size() && (bits[number / 64] >> (number % 64) & 1U) != 0;
  }

  void Bound(const RowStore& store);

  std::array<Bits, 2> changed_;  // Of the full format, then of the tail.
  // Rows whose keys had none before: they leave nothing behind when they go.
  std::array<Bits, 2> created_;
  absl::btree_set<Key> gone_;
  bool is_whole_ = true;
};

}  // namespace longtail::sparse
