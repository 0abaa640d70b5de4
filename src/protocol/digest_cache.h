// What belongs to lists of keys, by their digests, up to so many bytes: the list that was not used
// for longest goes first.
//
// A lane keeps the lists that it was sent, a worker the names of those that it sent. Both count the
// same bytes in the same order, so they forget about the same.
//
// Threads: not thread-safe.
#pragma once

#include <cstddef>
#include <list>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "protocol/key_digest.h"

namespace longtail {

template <typename Value>
class DigestCache {
 public:
  /// What an entry takes beside its keys, about.
  static constexpr std::size_t kEntryBytes = 128;

  explicit DigestCache(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  /// The value of a digest, null if it is not here. It counts as used. Good until the next call.
  Value* Find(const KeyDigest& digest) {
    const auto found = by_digest_.find(digest);
    if (found == by_digest_.end()) return nullptr;
    used_.splice(used_.begin(), used_, found->second);
    return &found->second->value;
  }

  /// Takes in a value for a list of so many keys, and lets go of others. One that is larger than
  /// the whole bound is not kept. Needs the digest not to be here.
  void Add(const KeyDigest& digest, std::size_t key_count, Value value) {
    const std::size_t bytes = kEntryBytes + key_count * sizeof(Key);
    if (bytes > bytes_max_) return;
    while (bytes_ + bytes > bytes_max_) {
      bytes_ -= used_.back().bytes;
      by_digest_.erase(used_.back().digest);
      used_.pop_back();
    }
    used_.push_front({digest, bytes, std::move(value)});
    by_digest_.emplace(digest, used_.begin());
    bytes_ += bytes;
  }

  void Clear() {
    used_.clear();
    by_digest_.clear();
    bytes_ = 0;
  }

  std::size_t bytes() const { return bytes_; }
  std::size_t size() const { return by_digest_.size(); }

 private:
  struct Entry {
    KeyDigest digest;
    std::size_t bytes = 0;
    Value value;
  };

  const std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::list<Entry> used_;  // The latest first.
  absl::flat_hash_map<KeyDigest, typename std::list<Entry>::iterator> by_digest_;
};

}  // namespace longtail
