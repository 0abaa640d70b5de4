// How the numbers of a row are kept: in full floats, or in fewer bits that are right on average;
// and how they travel.
//
// A row is always read and moved in fp32; a format says what is kept of it between two pushes. What
// does not fit is rounded at random so that its expectation is exact: a small step is not lost, it
// is taken now and then. The random bits are a function of (table seed, key, step, count), so
// replicas agree.
#pragma once

#include <cstdint>

namespace longtail {

/// The order is part of stored formats: append only.
enum class WeightFormat : std::uint8_t {
  kFloat32 = 0,   ///< 4 bytes a weight, as they are.
  kBfloat16 = 1,  ///< 2 bytes: 8 bits of precision, the range of fp32.
  kFloat16 = 2,   ///< 2 bytes: 11 bits of precision, up to 65504; larger ones stay there.
  kInt8 = 3,      ///< 1 byte, and one for a row's scale, a power of two.
  kShared = 4,    ///< None: the row of the key's group stands in. For a tail only; see TailSpec.
};

/// The order is part of stored formats: append only.
enum class StateFormat : std::uint8_t {
  kFloat32 = 0,   ///< 4 bytes a float of optimizer state.
  kBfloat16 = 1,  ///< 2 bytes. Step numbers of rows (Adam) keep their 4.
};

struct RowFormat {
  WeightFormat weights = WeightFormat::kFloat32;
  StateFormat state = StateFormat::kFloat32;

  bool operator==(const RowFormat&) const = default;
};

/// How the floats of rows and gradients travel between processes, each rounded to the nearest value
/// that the format has. The order is part of messages: append only.
enum class WireValues : std::uint8_t {
  kFloat32 = 0,   ///< 4 bytes, as they are.
  kBfloat16 = 1,  ///< 2 bytes: 8 bits of precision, the range of fp32.
  kFloat16 = 2,   ///< 2 bytes: 11 bits of precision, up to 65504; larger ones stay there.
  kInt8 = 3,      ///< 1 byte, and one for a row's scale, a power of two.
};

/// A cheaper format for the rows of the tail. A row whose count is below `below` is kept in
/// `format`; the push that brings its count there promotes it to the table's own format first and
/// then moves it. What a row knows survives its promotion exactly.
///
/// With weights kShared the tail is admission by count: below `below` a key has a count and no
/// weights. It pulls and trains the back-off row of its group, which it shares with all such keys,
/// and one never seen pulls that row, too; once admitted it starts from the back-off row's weights
/// and a fresh state. A group is a field, the key's highest bits, and a bucket, the highest bits of
/// its hash. A back-off row is a row like others, with a key of its own that no feature has but for
/// a chance of 2^-32; it is never evicted.
///
/// Source: the idea of a coarser estimate below a count is Katz's, "Estimation of probabilities
///         from sparse data for the language model component of a speech recognizer", IEEE Trans.
///         ASSP 35 (1987).
struct TailSpec {
  std::uint32_t below = 0;  ///< A count; 0 or 1: there is no tail, all rows are kept alike.
  RowFormat format{.weights = WeightFormat::kInt8, .state = StateFormat::kBfloat16};

  /// One accumulator for a row in the tail, as row-wise Adagrad has it; promoted, each weight
  /// starts from it. For Adagrad only.
  bool rowwise_state = false;

  std::uint32_t field_bits = 0;   ///< 0..16, for kShared: the highest bits of a key are its field.
  std::uint32_t bucket_bits = 0;  ///< 0..16, for kShared: 2^bucket_bits groups a field. A cluster
                                  ///< may have as many partitions as that, and no more.

  bool operator==(const TailSpec&) const = default;
};

}  // namespace longtail
