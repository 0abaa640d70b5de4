// Stores of rows behind one interface: ours, what others use, and the limit that memory sets.
//
// A row is dim weights and dim sums of squared gradients, moved by the same AdagradStep everywhere.
// Each store has: a name; Insert (new keys, zero weights), Lookup (weights to out [n, dim], in the
// order of keys), Update (gradients [n, dim]); keys of one call are all different and all there.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <google/dense_hash_map>
#include <libcuckoo/cuckoohash_map.hh>
#include <span>
#include <unordered_map>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/hash.h"
#include "longtail/table_spec.h"
#include "sparse/adagrad.h"
#include "sparse/pages.h"
#include "sparse/table.h"

namespace longtail::bench {

inline constexpr AdagradSpec kRule{};
inline constexpr std::size_t kGroup = 32;

/// Rows one behind the other, on huge pages where there are such.
class RowArray {
 public:
  RowArray(std::size_t rows, std::size_t dim)
      : bytes_(rows * 2 * dim * sizeof(float)),
        dim_(dim),
        data_(static_cast<float*>(sparse::TakePages(bytes_))) {}
  ~RowArray() { sparse::ReleasePages(data_, bytes_); }
  RowArray(const RowArray&) = delete;
  RowArray& operator=(const RowArray&) = delete;

  float* Row(std::uint64_t row) { return data_ + row * 2 * dim_; }
  void Start(std::uint64_t row) {
    std::fill_n(Row(row), dim_, 0.0F);
    std::fill_n(Row(row) + dim_, dim_, kRule.initial_accumulator);
  }
  void Fetch(std::uint64_t row, std::size_t floats) {
    const char* first = reinterpret_cast<const char*>(Row(row));
    for (std::size_t at = 0; at < floats * sizeof(float); at += 64) __builtin_prefetch(first + at);
  }
  void Read(std::uint64_t row, float* out) { std::memcpy(out, Row(row), dim_ * sizeof(float)); }
  void Move(std::uint64_t row, const float* gradient) {
    float* weights = Row(row);
    sparse::ApplyRow(kRule, {gradient, weights, weights + dim_, dim_});
  }

 private:
  std::size_t bytes_;
  std::size_t dim_;
  float* data_;
};

/// Moves a row that is a vector of its own.
inline void MoveRow(std::span<float> row, const float* gradient) {
  const std::size_t dim = row.size() / 2;
  sparse::ApplyRow(kRule, {gradient, row.data(), row.data() + dim, dim});
}
inline void StartRow(std::span<float> row) {
  std::fill(row.begin() + static_cast<std::ptrdiff_t>(row.size() / 2), row.end(),
            kRule.initial_accumulator);
}

/// The limit: a key is its row's number, nothing is looked up.
class Direct {
 public:
  static constexpr const char* kName = "direct";
  Direct(std::size_t rows, std::size_t dim) : dim_(dim), rows_(rows, dim) {}
  void Insert(std::span<const Key> keys) {
    for (const Key key : keys) rows_.Start(key);
  }
  void Lookup(std::span<const Key> keys, float* out) {
    Each(keys, dim_, [&](std::size_t i) { rows_.Read(keys[i], out + i * dim_); });
  }
  void Update(std::span<const Key> keys, const float* gradients) {
    Each(keys, 2 * dim_, [&](std::size_t i) { rows_.Move(keys[i], gradients + i * dim_); });
  }

 private:
  template <typename Visit>
  void Each(std::span<const Key> keys, std::size_t floats, Visit&& visit) {
    constexpr std::size_t kAhead = 24;
    for (std::size_t i = 0; i < std::min(kAhead, keys.size()); ++i) rows_.Fetch(keys[i], floats);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (i + kAhead < keys.size()) rows_.Fetch(keys[i + kAhead], floats);
      visit(i);
    }
  }
  std::size_t dim_;
  RowArray rows_;
};

/// Ours: the Table of one partition.
class Longtail {
 public:
  static constexpr const char* kName = "longtail";
  Longtail(std::size_t, std::size_t dim)
      : table_({.name = "bench",
                .dim = static_cast<std::uint32_t>(dim),
                .optimizer = {.rule = kRule},
                .initializer = ConstantSpec{},
                .seed = 1,
                .linear_columns = 0}) {}
  void Insert(std::span<const Key> keys) {
    zeros_.resize(keys.size() * table_.dim());
    Update(keys, zeros_.data());
  }
  void Lookup(std::span<const Key> keys, float* out) {
    table_.Pull(keys, {.rows = out, .slots = nullptr, .stride = table_.dim(), .counts = nullptr});
  }
  void Update(std::span<const Key> keys, const float* gradients) {
    counts_.resize(keys.size(), 1);
    table_.Push(keys, counts_, {gradients, keys.size() * table_.dim()}, ++step_, 1);
  }
  const sparse::Table& table() const { return table_; }

 private:
  sparse::Table table_;
  std::vector<std::uint32_t> counts_;
  std::vector<float> zeros_;
  std::uint32_t step_ = 0;
};

/// The best that one writes with Abseil's map: row numbers in it, rows apart, misses overlapped.
class AbslPrefetched {
 public:
  static constexpr const char* kName = "absl+prefetch";
  AbslPrefetched(std::size_t rows, std::size_t dim) : dim_(dim), rows_(rows, dim) {}
  void Insert(std::span<const Key> keys) {
    Each(keys, 2 * dim_, [&](std::size_t i, std::uint32_t row) {
      if (row != kNone) return;
      row = static_cast<std::uint32_t>(map_.size());
      map_.emplace(keys[i], row);
      rows_.Start(row);
    });
  }
  void Lookup(std::span<const Key> keys, float* out) {
    Each(keys, dim_, [&](std::size_t i, std::uint32_t row) { rows_.Read(row, out + i * dim_); });
  }
  void Update(std::span<const Key> keys, const float* gradients) {
    Each(keys, 2 * dim_,
         [&](std::size_t i, std::uint32_t row) { rows_.Move(row, gradients + i * dim_); });
  }

 private:
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;
  template <typename Visit>
  void Each(std::span<const Key> keys, std::size_t floats, Visit&& visit) {
    std::array<std::uint32_t, kGroup> found;
    for (std::size_t first = 0; first < keys.size(); first += kGroup) {
      const std::size_t n = std::min(kGroup, keys.size() - first);
      for (std::size_t i = 0; i < n; ++i) map_.prefetch(keys[first + i]);
      for (std::size_t i = 0; i < n; ++i) {
        const auto it = map_.find(keys[first + i]);
        found[i] = it == map_.end() ? kNone : it->second;
        if (found[i] != kNone) rows_.Fetch(found[i], floats);
      }
      for (std::size_t i = 0; i < n; ++i) visit(first + i, found[i]);
    }
  }
  std::size_t dim_;
  RowArray rows_;
  absl::flat_hash_map<Key, std::uint32_t> map_;
};

/// What a user of a simple parameter server writes.
class UnorderedMap {
 public:
  static constexpr const char* kName = "unordered_map";
  UnorderedMap(std::size_t, std::size_t dim) : dim_(dim) {}
  void Insert(std::span<const Key> keys) {
    for (const Key key : keys) {
      StartRow(map_.try_emplace(key, std::vector<float>(2 * dim_)).first->second);
    }
  }
  void Lookup(std::span<const Key> keys, float* out) {
    for (std::size_t i = 0; i < keys.size(); ++i) {
      std::memcpy(out + i * dim_, map_.find(keys[i])->second.data(), dim_ * sizeof(float));
    }
  }
  void Update(std::span<const Key> keys, const float* gradients) {
    for (std::size_t i = 0; i < keys.size(); ++i) {
      MoveRow(map_.find(keys[i])->second, gradients + i * dim_);
    }
  }

 private:
  std::size_t dim_;
  std::unordered_map<Key, std::vector<float>> map_;
};

/// Google's dense_hash_map to row numbers.
class DenseHashMap {
 public:
  static constexpr const char* kName = "dense_hash_map";
  DenseHashMap(std::size_t rows, std::size_t dim) : dim_(dim), rows_(rows, dim) {
    map_.set_empty_key(~Key{0});
  }
  void Insert(std::span<const Key> keys) {
    for (const Key key : keys) {
      const auto row = static_cast<std::uint32_t>(map_.size());
      if (map_.insert({key, row}).second) rows_.Start(row);
    }
  }
  void Lookup(std::span<const Key> keys, float* out) {
    for (std::size_t i = 0; i < keys.size(); ++i) {
      rows_.Read(map_.find(keys[i])->second, out + i * dim_);
    }
  }
  void Update(std::span<const Key> keys, const float* gradients) {
    for (std::size_t i = 0; i < keys.size(); ++i) {
      rows_.Move(map_.find(keys[i])->second, gradients + i * dim_);
    }
  }

 private:
  struct Hash {
    std::size_t operator()(Key key) const { return Mix64(key); }
  };
  std::size_t dim_;
  RowArray rows_;
  google::dense_hash_map<Key, std::uint32_t, Hash> map_;
};

/// libcuckoo with the row in the map; it locks, for it is made for threads.
template <std::size_t kDim>
class Cuckoo {
 public:
  static constexpr const char* kName = "libcuckoo";
  Cuckoo(std::size_t, std::size_t) {}
  void Insert(std::span<const Key> keys) {
    Row start{};
    StartRow(start);
    for (const Key key : keys) map_.insert(key, start);
  }
  void Lookup(std::span<const Key> keys, float* out) {
    for (std::size_t i = 0; i < keys.size(); ++i) {
      map_.find_fn(keys[i], [&](const Row& row) {
        std::memcpy(out + i * kDim, row.data(), kDim * sizeof(float));
      });
    }
  }
  void Update(std::span<const Key> keys, const float* gradients) {
    for (std::size_t i = 0; i < keys.size(); ++i) {
      map_.update_fn(keys[i], [&](Row& row) { MoveRow(row, gradients + i * kDim); });
    }
  }

 private:
  using Row = std::array<float, 2 * kDim>;
  struct Hash {
    std::size_t operator()(Key key) const { return Mix64(key); }
  };
  libcuckoo::cuckoohash_map<Key, Row, Hash> map_;
};

}  // namespace longtail::bench
