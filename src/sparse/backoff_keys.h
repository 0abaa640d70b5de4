// The keys of back-off rows: one for each group of keys (TailSpec).
//
// A group's key is made backwards, from the hash that it shall have:
//
//   63      48 47     32 31             0
//   | bucket  | field   | check          |    bucket: its bits are the highest of bits 63..48
//
// The bucket is the highest bits of its members' hashes, so a back-off row is in the partition of
// its members; the check, 32 bits that follow from bucket, field and seed, tells it from features.
//
// Thread: any; immutable.
#pragma once

#include <cstdint>

#include "base/hash.h"
#include "base/random.h"
#include "longtail/ids.h"
#include "longtail/table_spec.h"

namespace longtail::sparse {

class BackoffKeys {
 public:
  explicit BackoffKeys(const TableSpec& spec)
      : seed_(spec.seed), field_bits_(spec.tail.field_bits), bucket_bits_(spec.tail.bucket_bits) {}

  /// The key of the back-off row of a key, whose hash is `hash`.
  Key Of(Key key, std::uint64_t hash) const {
    const std::uint64_t field = field_bits_ == 0 ? 0 : key >> (64 - field_bits_);
    const std::uint64_t bucket =
        bucket_bits_ == 0 ? 0 : hash >> (64 - bucket_bits_) << (16 - bucket_bits_);
    const std::uint64_t group = bucket << 16 | field;
    return Unmix64(group << 32 | Check(group));
  }

  /// Whether a key of this hash is that of a back-off row.
  bool IsOne(std::uint64_t hash) const { return (hash & 0xFFFFFFFF) == Check(hash >> 32); }

 private:
  std::uint64_t Check(std::uint64_t group) const { return RandomBits(seed_, group, 0) >> 32; }

  std::uint64_t seed_;
  std::uint32_t field_bits_;
  std::uint32_t bucket_bits_;
};

}  // namespace longtail::sparse
