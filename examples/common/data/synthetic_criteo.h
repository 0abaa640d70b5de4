// Synthetic data in the shape of Criteo's: made up by a formula, not measured anywhere.
//
// Every example is a function of (options, its number), so any range can be made in any order and
// by any thread. Labels are drawn from a known model, so the best that a trainer can reach is
// known.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "examples/common/data/batch_source.h"
#include "examples/common/data/batch_writer.h"
#include "examples/common/data/schema.h"
#include "examples/common/data/zipf.h"

namespace longtail::examples {

inline constexpr std::uint32_t kSyntheticFieldsMax = 1024;
inline constexpr std::uint64_t kSyntheticIdsMax = std::uint64_t{1} << 32;
inline constexpr std::size_t kSyntheticNumbers = 13;
inline constexpr std::size_t kSyntheticLatentDim = 4;

struct SyntheticOptions {
  std::uint32_t field_count = 26;           ///< 1..kSyntheticFieldsMax.
  std::uint64_t ids_per_field = 1'000'000;  ///< 1..kSyntheticIdsMax.
  double zipf_exponent = 1.1;               ///< Above 0, at most 8.
  double missing_rate = 0.1;                ///< Of each field and number, 0..1.
  double bias = -1.4;
  double field_scale = 0.25;     ///< Standard deviation of the effect of one field.
  double pair_scale = 0.35;      ///< The same of one interacting pair of fields.
  std::uint32_t pair_count = 6;  ///< Pairs of fields that interact; they are drawn by the seed.
  double numeric_scale = 0.1;    ///< Standard deviation of the weight of a number.
  std::uint64_t seed = 1;        ///< Decides the model and the examples.
};

/// Errors: InvalidArgument, naming the option, its value and what was wanted.
[[nodiscard]] absl::Status Validate(const SyntheticOptions& options);

/// The true model and the examples it makes:
///
///   logit = bias + Σ_f effect(id_f) + Σ_(f,g) pair_scale ⟨latent(id_f), latent(id_g)⟩ / √dim
///           + Σ_j weight_j (x_j - 2.5)
///
/// effect and latent are draws near to a normal one, by the hash of the id's key and the seed; x_j
/// is log(1 + integer j). A missing id or number adds nothing.
///
/// Thread: const calls from any thread.
class SyntheticCriteo {
 public:
  /// Needs options that Validate accepts.
  explicit SyntheticCriteo(const SyntheticOptions& options);

  /// Replaces `batch` by examples first … first + count - 1, and `probabilities`, if not null, by
  /// the true probability of a label 1 of each.
  void Generate(std::uint64_t first, std::size_t count, Batch& batch,
                std::vector<double>* probabilities = nullptr) const;

  /// The true probability of a label 1 of example `i`.
  double TrueProbability(std::uint64_t i) const;

  /// Numbers I1..I13 and fields C1..CF.
  const FeatureLayout& layout() const { return layout_; }

  /// Writes examples first … first + count - 1 as raw Criteo lines (label, 13 integers, F
  /// categories of 8 hexadecimal digits). Read with MakeSchema, they are what Generate gives.
  ///
  /// Errors: Unavailable if the file cannot be written.
  [[nodiscard]] absl::Status WriteTsv(const std::string& path, std::uint64_t first,
                                      std::uint64_t count) const;

  /// The schema of a file of WriteTsv, as the only file of a split called "all".
  Schema MakeSchema(const std::string& path) const;

 private:
  struct Pair {
    std::uint32_t first = 0;
    std::uint32_t second = 0;
  };
  struct Row;

  void Make(std::uint64_t i, Row& row) const;
  double Logit(const Row& row) const;
  double Effect(Key key) const;
  std::array<double, kSyntheticLatentDim> Latent(Key key) const;

  const SyntheticOptions options_;
  const ZipfSampler zipf_;
  FeatureLayout layout_;
  std::vector<std::uint64_t> field_seeds_;
  std::vector<Pair> pairs_;
  std::array<double, kSyntheticNumbers> weights_{};
};

/// Examples first … first + count - 1 as a source.
class SyntheticSource final : public BatchSource {
 public:
  SyntheticSource(const SyntheticOptions& options, std::uint64_t first, std::uint64_t count)
      : data_(options), next_(first), left_(count) {}

  /// Errors: Cancelled after RequestStop.
  [[nodiscard]] absl::Status Next(std::size_t example_count_max, Batch& batch) override;
  const FeatureLayout& layout() const override { return data_.layout(); }
  void RequestStop() override { stop_.store(true); }

 private:
  const SyntheticCriteo data_;
  std::uint64_t next_;
  std::uint64_t left_;
  std::atomic<bool> stop_ = false;
};

/// What a model that knows the true probabilities is expected to score.
struct BestScore {
  double auc = 0;
  double log_loss = 0;  ///< In nats.
};

/// The expectation over labels drawn by `probabilities`: AUC as the expected number of ordered
/// pairs over the expected number of pairs; log loss as the mean entropy.
///
/// Shapes: probabilities [n], n >= 1, each in (0, 1).
BestScore BestReachable(std::vector<double> probabilities);

}  // namespace longtail::examples
