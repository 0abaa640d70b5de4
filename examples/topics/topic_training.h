// Trains a topic model on a cluster: reads the corpus, sweeps over it, saves, and goes on.
//
//   OUT/documents/               the corpus, see document_store.h
//   OUT/topics/SWEEP/            the topics of all tokens after a sweep
//   OUT/checkpoints/             the counts, if no other store is named
//   OUT/model.gz                 the model at the end, see topic_model.h
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "examples/topics/block_sweep.h"
#include "examples/topics/document_reader.h"
#include "examples/topics/perplexity.h"

namespace longtail::examples {

struct TrainingOptions {
  CorpusSpec corpus;
  std::string out = "runs/topics";
  std::uint32_t topics = 100;
  double alpha = 0.05;
  double beta = 0.01;
  std::uint32_t sweeps = 200;  ///< In all, those of earlier runs among them.
  /// Fit alpha (one a topic) and beta after every so many sweeps; 0: they stay as they are.
  std::uint32_t fit_every = 0;
  std::uint32_t workers = 1;              ///< Threads, each with a connection of its own.
  std::uint32_t block_tokens = 1U << 18;  ///< Of a block, about: what a worker holds at a time.
  SweepOptions sweep;
  std::uint64_t seed = 1;
  std::uint32_t lanes = 1;        ///< Of an embedded cluster.
  std::uint32_t partitions = 64;  ///< Of an embedded cluster.
  std::string cluster;            ///< Its coordinator's address, or a file with it; or embedded.
  std::string store;              ///< Of checkpoints; empty: OUT/checkpoints.
  std::uint32_t checkpoint_every = 0;  ///< Sweeps; 0: at the end alone.
  std::uint32_t stop_after = 0;  ///< Save and stop after so many sweeps of this run; 0: go on.
  bool resume = false;
  CorpusSpec held_out;  ///< No files: none is measured.
  std::size_t held_out_tokens_min = 4;
  std::uint32_t measure_every = 0;  ///< Sweeps; 0: at the end alone.
  bool json = false;                ///< Progress as a JSON object a line.
};

struct TrainingReport {
  std::uint32_t sweeps = 0;  ///< That the model has.
  std::uint64_t tokens = 0;
  double sampling_seconds = 0;          ///< Of this run's sweeps, without measuring and saving.
  double tokens_per_second = 0;         ///< Of the same.
  std::uint64_t entries = 0;            ///< Counts that are not zero, at the end.
  std::vector<HeldOutResult> held_out;  ///< In the order in which they were measured.
  std::string model;                    ///< The file.
};

/// Trains, and writes its progress to `out`.
///
/// Errors: those of the parts; AlreadyExists (OUT holds a training and `resume` is not set);
///         FailedPrecondition (it was made with other settings, named); DataLoss (the counts are
///         not those of the tokens' topics).
absl::StatusOr<TrainingReport> TrainTopics(const TrainingOptions& options, std::ostream& out);

}  // namespace longtail::examples
