// A shuffle buffer of bounded size between a source and its reader.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "examples/common/data/batch_source.h"
#include "examples/common/data/example_store.h"

namespace longtail::examples {

struct ShuffleOptions {
  std::size_t buffer_size = 1 << 16;  ///< Examples held, at least 1. As many as there are, or more,
                                      ///< is a full shuffle: every order is equally likely.
  std::uint64_t seed = 0;
  std::uint64_t epoch = 0;  ///< With the seed, decides the order.
};

/// Gives the examples of a source in an order that (seed, epoch, buffer_size) decides: the buffer
/// is filled, then a random one of it is given and its place taken by the next of the source.
///
/// The order does not depend on how Next divides it into batches. Resume with Skip.
class Shuffler final : public BatchSource {
 public:
  /// Needs buffer_size >= 1; 0 counts as 1.
  Shuffler(std::unique_ptr<BatchSource> source, const ShuffleOptions& options);

  /// Errors: those of the source.
  /// Cost: two copies of an example; the buffer's memory is about the bytes of its keys and
  /// numbers, up to twice that while it moves.
  [[nodiscard]] absl::Status Next(std::size_t example_count_max, Batch& batch) override;

  /// Passes over the next `example_count` examples, so that a resumed training reads on where the
  /// first one was: with batches of n, Skip(n * the batches already given) of the same epoch.
  ///
  /// Cost: reads and parses them again.
  [[nodiscard]] absl::Status Skip(std::uint64_t example_count);

  const FeatureLayout& layout() const override { return source_->layout(); }
  void RequestStop() override { source_->RequestStop(); }

 private:
  absl::Status Fill();
  absl::StatusOr<bool> ReadAhead();
  std::size_t Draw();
  absl::Status Take(std::size_t slot);

  const std::unique_ptr<BatchSource> source_;
  const std::size_t buffer_size_;
  const std::uint64_t stream_;  // Decides the order.
  std::uint64_t draw_count_ = 0;
  ExampleStore store_;
  Batch ahead_;  // Read from the source; those before ahead_next_ are in the store.
  std::size_t ahead_next_ = 0;
  bool at_end_ = false;
};

}  // namespace longtail::examples
